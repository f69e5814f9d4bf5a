#!/bin/bash
# Times 8 bit integers in this engine and in OpenVINO, in turn: body, FPN and RPN head of torchvision's Mask R-CNN, the part they are for.
#
#     tests/bench/compare_int8.sh [--threads N] [--rounds N]
#
# The first run installs the peers; PYTHON and CAFFE2RT_BUILD: see with_peers.sh.
. "$(dirname "$0")/with_peers.sh"
run_with_peers compare_int8.py --calibrate "$build/bin/caffe2_calibrate" "$@"
