#!/bin/bash
# Times one network of torchvision's, with the same weights on the same input, in this engine and in those a user would pick instead, in turn,
# and checks that they find the same.
#
#     tests/bench/compare_peers.sh [--net NAME] [--size HEIGHT WIDTH] [--threads N] [--rounds N] [ENGINE ...]
#
# Engines: caffe2rt pytorch onnxruntime openvino, and caffe2rt-bf16 pytorch-bf16 openvino-bf16; without a name all of them. The first run installs
# the peers (0.3 GB) beside libtorch, which tools/bootstrap.sh --tests installs. PYTHON: another interpreter that has them. CAFFE2RT_BUILD: what
# was built, default build/release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${CAFFE2RT_PREFIX:-/opt/gst-caffe2}
python=${PYTHON:-$prefix/peers/bin/python}
if [ -z "${PYTHON:-}" ] && [ ! -e "$prefix/peers/.installed" ]; then
  torch=$(echo "$prefix"/libtorch-*/lib/python3*/site-packages)
  [ -d "$torch" ] || { echo "compare_peers.sh: expected libtorch in $prefix: run tools/bootstrap.sh --tests" >&2; exit 1; }
  echo "installing the peers into $prefix/peers" >&2
  rm -rf "$prefix/peers"
  /usr/bin/python3 -m venv "$prefix/peers"
  echo "$torch" >"$(echo "$prefix"/peers/lib/python3*/site-packages)/libtorch.pth"
  "$python" -m pip install --disable-pip-version-check --quiet 'openvino==2026.4.*' 'onnxruntime==1.32.*' 'onnx==1.*' 'protobuf==6.*' numpy pyyaml pillow tqdm
  "$python" -m pip install --disable-pip-version-check --quiet --no-deps 'torchvision==0.29.*'
  touch "$prefix/peers/.installed"
fi
export PYTHONPATH=${CAFFE2RT_BUILD:-$here/../../build/release}/python${PYTHONPATH:+:$PYTHONPATH}
exec "$python" "$here/compare_peers.py" "$@"
