#!/bin/bash
# Times one network of torchvision's, with the same weights on the same input, in this engine and in those a user would pick instead, and
# checks that they find the same.
#
#     tests/bench/compare_peers.sh [--net NAME] [--size HEIGHT WIDTH] [--threads N] [--rounds N] [ENGINE ...]
#
# Engines: caffe2rt pytorch onnxruntime openvino; without a name all that are installed. PYTHON: an interpreter with torch, torchvision and,
# for the last two engines, onnxruntime, openvino and onnx. CAFFE2RT_BUILD: what was built, default build/release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-${CAFFE2RT_PREFIX:-/opt/gst-caffe2}/tests/bin/python}
export PYTHONPATH=${CAFFE2RT_BUILD:-$here/../../build/release}/python${PYTHONPATH:+:$PYTHONPATH}
exec "$python" "$here/compare_peers.py" "$@"
