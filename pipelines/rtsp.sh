#!/usr/bin/env bash
# Finds and follows objects in an RTSP stream. A server that goes away is asked again until it is back; the model stays loaded.
#
#   pipelines/rtsp.sh URL [--latency MS] [--output FILE.mp4] [--seconds N] [--model DIR] [...]
#
#   URL                 such as rtsp://user:password@host:554/path
#   --latency MS        how long packets that are late are waited for; default: 200
#   --output FILE       annotated video, .mp4 or .mkv; default: a window where there is a display, else rtsp.mp4
#   --seconds N         stop by itself so long after the first frame; default: on Ctrl-C
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

option[latency]=200
parse 1 --latency --output --seconds -- "$@"
[ ${#inputs[@]} = 1 ] || die "expected the URL of a stream (see --help)"
is_address "${inputs[0]}" || die "expected an address such as rtsp://host/path, got '${inputs[0]}'"
source_of "${inputs[0]}"
choose_output rtsp.mp4
prepare
detector
sink_to "$output" live
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! queue max-size-buffers=2 ! "${sink[@]}"
