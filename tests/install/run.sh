#!/usr/bin/env bash
# Installs the C++ library into a folder of its own, builds an application against that alone, as pkg-config says, and has
# it look at a scene of the demonstration.
#
#   tests/install/run.sh BUILD PYTHON
set -euo pipefail
build=$1 python=$2 here=$(cd "$(dirname "$0")" && pwd)
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --component cxx --prefix "$prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name caffe2rt.pc)")
export PKG_CONFIG_PATH
read -ra flags < <(pkg-config --cflags --libs caffe2rt)
c++ -std=c++20 -Wall -Wextra -Werror "$here/detect.cpp" "${flags[@]}" -o "$prefix/detect"
# Each header by itself.
headers=$(pkg-config --variable=includedir caffe2rt)
(cd "$headers" && find . -name '*.h') | while read -r header; do
  echo "#include <$header>" | c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$headers" -x c++ -
done
"$python" - "$here/../../tools/python" >"$prefix/scene.bgr" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from demo_model.scenes import Scene
sys.stdout.buffer.write(Scene(3).render()[0].tobytes())
P
LD_LIBRARY_PATH=$(pkg-config --variable=libdir caffe2rt) "$prefix/detect" "$here/../../models/demo" 640 360 <"$prefix/scene.bgr" | tee "$prefix/seen"
grep -q '^class [0-9]*, score 0\.[0-9]*, mask [1-9]' "$prefix/seen" || { echo "expected objects with masks"; exit 1; }
