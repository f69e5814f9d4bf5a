#!/usr/bin/env bash
# Sets the machine up, builds, and runs all tests; the last lines are the summary.
#
#   tests/run.sh [--preset NAME] [CTEST OPTIONS ...]        e.g. tests/run.sh -R ops
#
# Presets: release (default), debug, asan, tsan. With CAFFE2RT_WERROR=1 in the environment warnings are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
case ${1:-} in
  -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  --preset) preset=$2; shift 2 ;;
esac

tools/bootstrap.sh --tests
cmake --preset "$preset" ${CAFFE2RT_WERROR:+-DCAFFE2RT_WERROR=ON} >/dev/null
cmake --build --preset "$preset"
# Tests run beside each other: threads that wait leave their core to the others.
export OMP_WAIT_POLICY=passive
ctest --preset "$preset" -j "$(nproc)" "$@"
