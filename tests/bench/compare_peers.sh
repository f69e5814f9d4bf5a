#!/bin/bash
# Times one network of torchvision's, with the same weights on the same input, in this engine and in those a user would pick instead, in turn,
# and checks that they find the same.
#
#     tests/bench/compare_peers.sh [--net NAME] [--size HEIGHT WIDTH] [--device DEVICE] [--threads N] [--rounds N] [ENGINE ...]
#
# Engines: caffe2rt pytorch onnxruntime openvino, and caffe2rt-bf16 pytorch-bf16 openvino-bf16; without a name all of them. With --device cuda
# (PYTHON has a torch that knows the GPU) caffe2rt pytorch torchcompile onnxruntime, and the first three with -fp16. The first run installs
# the peers (0.3 GB) beside libtorch, which tools/bootstrap.sh --tests installs. PYTHON and CAFFE2RT_BUILD: see with_peers.sh.
. "$(dirname "$0")/with_peers.sh"
run_with_peers compare_peers.py "$@"
