#!/usr/bin/env bash
# Installs what gst-caffe2 builds and runs with, on Debian 12 and 13: packages, and the libtorch wheel in a virtual
# environment of its own. Safe to run again: what is there is left alone.
#
#   tools/bootstrap.sh [--tests] [--cuda] [--check]
#
#   --tests   also what the tests and checks of this project compare with, PyTorch for Python among it: implies --cuda
#   --cuda    also the CUDA half of libtorch, without which PyTorch's Python part does not load (3 GB more)
#   --check   install nothing; say what is missing and exit 1 if anything is
#
# CAFFE2RT_PREFIX names the folder for the wheel; default /opt/gst-caffe2. Needs root, or sudo.
set -euo pipefail

torch_version=2.15.0
prefix=${CAFFE2RT_PREFIX:-/opt/gst-caffe2}
venv=$prefix/libtorch-$torch_version

cuda=0 check=0 tests=0
for argument in "$@"; do
  case $argument in
    --tests) tests=1 ;;
    --cuda) cuda=1 ;;
    --check) check=1 ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "bootstrap.sh: unknown option '$argument' (see --help)" >&2; exit 1 ;;
  esac
done

packages=(
  g++ cmake ninja-build ccache pkg-config git ca-certificates python3-venv python3-pip python3-numpy
  python3-dev pybind11-dev python3-yaml python3-protobuf python3-pil python3-opencv python3-tqdm graphviz
  python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gobject-introspection libgirepository1.0-dev
  protobuf-compiler libprotobuf-dev libgoogle-glog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libzip-dev libhwy-dev
  libopencv-dev libdlib-dev libpango1.0-dev libcairo2-dev fonts-dejavu-core
  libgtest-dev libgmock-dev libbenchmark-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev libgstrtspserver-1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
)

[ "$tests" = 0 ] || packages+=(clang-format python3-pytest python3-pandas python3-scipy gir1.2-gst-rtsp-server-1.0)
# The references of the tests are written in PyTorch: the whole wheel, so that Python and the engine share one libtorch.
[ "$tests" = 0 ] || cuda=1

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { echo "bootstrap.sh: $*" >&2; exit 1; }

command -v apt-get >/dev/null || die "expected Debian 12 or 13 (apt-get), got another system"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root or sudo to run: $*"
  fi
}

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done

# One file a kind of wheel says that its installation was finished.
wheel_stamp=$venv/.installed-cpu
[ "$cuda" = 1 ] && wheel_stamp=$venv/.installed-cuda
tests_stamp=$prefix/tests/.installed-$torch_version-clang-tidy

if [ "$check" = 1 ]; then
  [ ${#missing[@]} -gt 0 ] && echo "missing packages: ${missing[*]}"
  [ -e "$wheel_stamp" ] || echo "missing libtorch: $venv"
  [ "$tests" = 0 ] || [ -e "$tests_stamp" ] || echo "missing Python of the tests: $prefix/tests"
  [ ${#missing[@]} -eq 0 ] && [ -e "$wheel_stamp" ] && { [ "$tests" = 0 ] || [ -e "$tests_stamp" ]; }
  exit
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${#missing[@]} packages"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if [ ! -e "$wheel_stamp" ]; then
  say "fetching libtorch $torch_version (0.5 GB, 1.3 GB on disk) into $venv"
  [ -d "$prefix" ] || as_root install -d -o "$(id -u)" -g "$(id -g)" "$prefix"
  [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
  if [ "$cuda" = 1 ]; then
    "$venv/bin/pip" install --disable-pip-version-check "torch==$torch_version"
  else
    # What libtorch_cpu.so itself links to is in the two small wheels; its own run path finds them there.
    "$venv/bin/pip" install --disable-pip-version-check --no-deps --no-compile \
      "torch==$torch_version" 'nvidia-cuda-runtime==13.*' 'nvidia-cuda-cupti==13.*'
  fi
  touch "$wheel_stamp"
fi

# A Python that has Debian's packages, the PyTorch above, and what Debian has no package of.
if [ "$tests" = 1 ] && [ ! -e "$tests_stamp" ]; then
  say "installing torchvision, pycocotools, motmetrics and clang-tidy into $prefix/tests"
  rm -rf "$prefix/tests"
  /usr/bin/python3 -m venv --system-site-packages "$prefix/tests"
  "$prefix/tests/bin/pip" install --disable-pip-version-check --quiet --no-deps 'pycocotools==2.0.*' 'torchvision==0.29.*' \
    'motmetrics==1.4.*' xmltodict 'clang-tidy==23.1.*'
  echo "$venv"/lib/python3*/site-packages >"$(echo "$prefix"/tests/lib/python3*/site-packages)/libtorch.pth"
  touch "$tests_stamp"
fi
