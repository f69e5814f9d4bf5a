#!/usr/bin/env bash
# Builds, tests and benchmarks the GPU part, and writes gpu_report.json, gpu_report.md and gpu.log. For a machine with an
# NVIDIA GPU, nvcc, and PyTorch 2.11 or newer; GStreamer need not be there. Without a GPU it only builds, says so and exits 0.
#
#   tests/gpu.sh [--out DIR] [--build DIR] [--jobs N] [--golden DIR] [--bench DIR] [--sanitize]
#
#   --out       where the report goes; default build/gpu
#   --build     where to build; default build/gpu
#   --golden    recorded nets to compare with, as tests/golden_test.py takes them; default ../shared/golden where it is
#   --bench     folders of nets to time, each model.pb and model_init.pb; default ../shared/models/bench where it is
#   --sanitize  the operators' comparison under compute-sanitizer too: memcheck, racecheck and initcheck
#
# LIBTORCH_DIR names the folder of torch; default: the one of tools/bootstrap.sh, else the one that python3 imports.
set -uo pipefail
cd "$(dirname "$0")/.."

out=build/gpu build=build/gpu jobs=$(nproc) golden=../shared/golden bench=../shared/models/bench sanitize=0
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift ;;
    --build) build=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --golden) golden=$2; shift ;;
    --bench) bench=$2; shift ;;
    --sanitize) sanitize=1 ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "gpu.sh: unknown option '$1' (see --help)" >&2; exit 1 ;;
  esac
  shift
done
mkdir -p "$out"
log=$out/gpu.log steps=$(mktemp -d)
: >"$log"
trap 'rm -rf "$steps"' EXIT
failed=0

# step NAME SECONDS COMMAND ...: runs it for so long at most; its output goes to the log, its result to the report.
step() {
  local name=$1 seconds=$2 start=$SECONDS status=0
  shift 2
  printf '\n==== %s\n' "$name" >>"$log"
  timeout "$seconds" "$@" 2>&1 | tee "$steps/output" >>"$log"
  status=${PIPESTATUS[0]}
  printf '%-44s %s (%d s)\n' "$name" "$([ $status = 0 ] && echo ok || echo "FAILED: $status")" $((SECONDS - start))
  printf '%s\t%s\t%s\n' "$name" "$status" $((SECONDS - start)) >>"$steps/steps.tsv"
  [ $status = 0 ] || failed=1
  return $status
}

report() { python3 tests/gpu_report.py --steps "$steps" --out "$out"; }

options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DCAFFE2RT_CUDA=ON -DCAFFE2RT_PLUGIN=OFF)
[ -z "${CAFFE2RT_WERROR:-}" ] || options+=(-DCAFFE2RT_WERROR=ON)
if [ -z "${LIBTORCH_DIR:-}" ] && ! compgen -G '/opt/gst-caffe2/libtorch-*' >/dev/null; then
  LIBTORCH_DIR=$(python3 -c 'import os, importlib.util as u; print(os.path.dirname(u.find_spec("torch").origin))')
fi
[ -z "${LIBTORCH_DIR:-}" ] || options+=(-DLIBTORCH_DIR="$LIBTORCH_DIR")
step configure 120 cmake -S . -B "$build" "${options[@]}" || { tail -20 "$log"; report; exit 1; }
# build NAME TARGET ...
build() {
  local name=$1
  shift
  step "$name" 1800 cmake --build "$build" -j "$jobs" --target "$@" || { grep -m 20 -A 3 'error' "$log"; report; exit 1; }
}
build "build" caffe2rt caffe2rt_cuda caffe2_run caffe2_bench
if ! nvidia-smi -L >"$steps/gpu" 2>&1; then
  build "build tests" runtime_tests ops_tests ops_cuda_tests
  step "runtime" 120 "$build/bin/runtime_tests" --gtest_brief=1
  echo "no GPU: built, and nothing else was tried on one"
  report
  exit $failed
fi

# time_net NAME FOLDER OPTIONS ...
time_net() {
  local name=$1 net=$2
  shift 2
  step "time $name" 60 "$build/bin/caffe2_bench" --predict_net "$net/model.pb" --init_net "$net/model_init.pb" --device cuda --json "$@"
  grep -m 1 '^{' "$steps/output" | sed "s|^|$name\t|" >>"$steps/bench.tsv"
}
net=$bench/mask_rcnn_R_50_FPN_3x name=mask_rcnn_R_50_FPN
if [ -e "$net/model.pb" ]; then
  time_net "$name fp16" "$net" --precision fp16 --repeat 30 --profile "$out/$name.fp16.trace.json"
  time_net "$name bf16" "$net" --precision bf16 --repeat 20
  time_net "$name fp16, without CUDA graphs" "$net" --precision fp16 --repeat 20 --no-cuda-graphs
  time_net "$name fp16, without slots" "$net" --precision fp16 --repeat 20 --disable-passes use_slots
  time_net "$name fp16 x8" "$net" --precision fp16 --batch 8 --repeat 10
  time_net "$name fp32" "$net" --repeat 20 --profile "$out/$name.fp32.trace.json"
fi
time_net "demo fp16" models/demo --height 480 --width 640 --precision fp16 --repeat 20
time_net "demo fp32" models/demo --height 480 --width 640 --repeat 20

build "build tests" runtime_tests ops_tests ops_cuda_tests benchmarks
step "preprocess and RoIAlign" 60 "$build/bin/benchmarks" --benchmark_filter=_on_gpu --benchmark_out="$out/benchmarks.json"
step "runtime" 120 "$build/bin/runtime_tests" --gtest_brief=1
# One kernel that breaks makes all that follows in its process fail: then each test gets a process of its own.
step "operators, GPU against CPU" 60 "$build/bin/ops_cuda_tests" --gtest_output="json:$steps/agreement.json" ||
  for test in $("$build/bin/ops_cuda_tests" --gtest_list_tests | grep '^  '); do
    step "  $test alone" 20 "$build/bin/ops_cuda_tests" --gtest_brief=1 --gtest_filter="*.$test"
  done
if [ -e "$golden/compare.py" ]; then
  step "golden nets" 120 python3 tests/golden_test.py --golden "$golden" --caffe2-run "$build/bin/caffe2_run" --device cuda --jobs 4
  cp "$steps/output" "$steps/golden.txt"
fi
# The CPU refuses values that make no sense, such as a region of no image; a GPU does not look, and computes not-a-number.
refusals=RoIAlign.RefusesWhatDoesNotFit:PyramidRoIAlign.RefusesWhatDoesNotFit:CollectRpnProposals.RefusesWhatDoesNotFit
refusals+=:BBoxTransform.RefusesARegionOfAnImageThatIsNotThere:NumberRegions.RefusesSplitsThatDoNotAddUp:PanopticMap.RefusesSplitsOfMoreRowsThanThereAre:MaskOfClass.RefusesClassesWithoutAFilter
# And what operators say whose weights are packed: on a GPU none are.
refusals+=:MatMulConvTranspose.RefusesAnInputThatDoesNotFit:MatMulFC.RefusesAnInputThatDoesNotFit
step "operators, their own tests on the GPU" 60 env CAFFE2RT_TEST_DEVICE=cuda "$build/bin/ops_tests" --gtest_brief=1 \
  --gtest_filter="-$refusals" --gtest_output="json:$steps/operators.json"
report  # what follows may be cut short
if [ -e "$net/model.pb" ]; then
  time_net "$name fp16, cuDNN's choice measured" "$net" --precision fp16 --repeat 20 --measure-algorithms
  time_net "$name fp32, cuDNN's choice measured" "$net" --repeat 20 --measure-algorithms
fi
if [ $sanitize = 1 ]; then
  for tool in memcheck racecheck initcheck; do
    step "compute-sanitizer, $tool" 300 compute-sanitizer --tool $tool --error-exitcode 9 "$build/bin/ops_cuda_tests" --gtest_brief=1
  done
fi
report
exit $failed
