#!/usr/bin/env bash
# Live pipelines under load for longer than a test may take: a model five times slower than its stream, and eight streams of
# one model. Prints what it counted; fails where frames, memory or threads are lost.
#
#   tests/soak.sh [SECONDS]    of each; default 120
set -euo pipefail
cd "$(dirname "$0")/.."
CAFFE2RT_SOAK_SECONDS=${1:-120} build/release/bin/plugin_tests --gtest_filter='Soak.*'
