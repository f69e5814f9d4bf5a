#!/usr/bin/env bash
# What caffe2inference costs beside the model: time a frame, with a model that takes none, and memory a stream that joins others
# of one model.
#
#   tests/bench/element_cost.sh [MODEL]    directory of the model for the second; default models/demo
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/build/release
model=${1:-models/demo}
export GST_PLUGIN_PATH=$build/lib/gstreamer-1.0

# Seconds that a pipeline of 20000 tiny frames takes, the best of five.
seconds() {
  for _ in 1 2 3 4 5; do
    CAFFE2RT_LIBRARY=$build/tests/plugin/libcaffe2rt_fake.so /usr/bin/time -f %e gst-launch-1.0 -q \
      videotestsrc num-buffers=20000 pattern=black ! video/x-raw,format=GRAY8,width=64,height=48 ! "$@" fakesink 2>&1 >/dev/null | tail -1
  done | sort -n | head -1
}
plain=$(seconds)
queue=$(seconds queue !)
ours=$(seconds caffe2inference predict-net=fake init-net=fake !)
awk -v p="$plain" -v q="$queue" -v o="$ours" 'BEGIN {
  printf "a frame costs %.1f us in caffe2inference beside the model, %.1f us in a queue\n", (o - p) / 20000 * 1e6, (q - p) / 20000 * 1e6 }'

# Peak memory in KiB of so many streams of 640x360.
memory() {
  local pipeline=()
  for _ in $(seq "$1"); do
    pipeline+=(videotestsrc num-buffers=20 ! video/x-raw,format=NV12,width=640,height=360,framerate=30/1 ! caffe2inference
               "model=$model" model-instance-id=shared ! fakesink)
  done
  /usr/bin/time -f %M gst-launch-1.0 -q "${pipeline[@]}" 2>&1 >/dev/null | tail -1
}
one=$(memory 1)
sixteen=$(memory 16)
awk -v a="$one" -v b="$sixteen" 'BEGIN {
  printf "one stream takes %.0f MiB, sixteen that share the model %.0f MiB: %.2f MiB a stream\n", a / 1024, b / 1024, (b - a) / 15 / 1024 }'
