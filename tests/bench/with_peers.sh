# For the scripts beside it: installs the peers where they are not yet, and runs a script with a Python that has them and this engine.
#
#     . with_peers.sh; run_with_peers SCRIPT.py [ARGUMENT ...]
#
# PYTHON: another interpreter that has the peers. CAFFE2RT_BUILD: what was built, default build/release.
set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${CAFFE2RT_BUILD:-$bench/../../build/release}
prefix=${CAFFE2RT_PREFIX:-/opt/gst-caffe2}
python=${PYTHON:-$prefix/peers/bin/python}
if [ -z "${PYTHON:-}" ] && [ ! -e "$prefix/peers/.installed" ]; then
  torch=$(echo "$prefix"/libtorch-*/lib/python3*/site-packages)
  [ -d "$torch" ] || { echo "expected libtorch in $prefix: run tools/bootstrap.sh --tests" >&2; exit 1; }
  echo "installing the peers into $prefix/peers" >&2
  rm -rf "$prefix/peers"
  /usr/bin/python3 -m venv "$prefix/peers"
  echo "$torch" >"$(echo "$prefix"/peers/lib/python3*/site-packages)/libtorch.pth"
  "$python" -m pip install --disable-pip-version-check --quiet 'openvino==2026.4.*' 'onnxruntime==1.32.*' 'onnx==1.*' 'protobuf==6.*' numpy pyyaml pillow tqdm
  "$python" -m pip install --disable-pip-version-check --quiet --no-deps 'torchvision==0.29.*'
  touch "$prefix/peers/.installed"
fi
export PYTHONPATH=$build/python${PYTHONPATH:+:$PYTHONPATH}

run_with_peers() {
  local script=$1
  shift
  exec "$python" "$bench/$script" "$@"
}
