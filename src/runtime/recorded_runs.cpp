#include "runtime/recorded_runs.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <exception>

#include "base/error.h"
#include "base/logging.h"
#include "runtime/translate_exceptions.h"

namespace caffe2rt {

bool RecordedRuns::Run::fits(const Tensors& tensors, const Tensors& host) const {
  const auto same = [](const at::Tensor& a, const at::Tensor& b) { return at::equal(a, b); };
  if (tensors.size() != shapes.size() || !std::ranges::equal(host, of_host, same)) return false;
  for (size_t i = 0; i < tensors.size(); i++)
    if (tensors[i].sizes() != shapes[i] || tensors[i].scalar_type() != types[i]) return false;
  return true;
}

void RecordedRuns::Run::forget_recording() {
  recording.reset();
  feeds.clear();
  results.clear();
}

RecordedRuns::Tensors RecordedRuns::run(const CudaModule& module, const Tensors& feeds,
                                        const Tensors& of_host, const Work& work) {
  if (given_up_) return work(feeds);
  const auto found = std::ranges::find_if(runs_, [&](const Run& run) { return run.fits(feeds, of_host); });
  const bool is_new = found == runs_.end();
  if (is_new) {
    Run& run = runs_.emplace_front();
    for (const at::Tensor& feed : feeds) {
      run.shapes.push_back(feed.sizes().vec());
      run.types.push_back(feed.scalar_type());
    }
    for (const at::Tensor& tensor : of_host) run.of_host.push_back(tensor.clone());
    if (runs_.size() > kMost) runs_.pop_back();
  } else {
    runs_.splice(runs_.begin(), runs_, found);
  }
  try {
    return is_new ? work(feeds) : run_known(module, runs_.front(), feeds, work);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kMemory || !forget_recordings(module)) throw;
  }
  return work(feeds);
}

// What came before.
RecordedRuns::Tensors RecordedRuns::run_known(const CudaModule& module, Run& run, const Tensors& feeds,
                                              const Work& work) {
  if (!run.recording) {
    // First done once more: libraries make what they need beforehand on the thread that records.
    Tensors results = work(feeds);
    if (!run.takes_too_much) record(module, run, feeds, work);
    return results;
  }
  for (size_t i = 0; i < feeds.size(); i++) run.feeds[i].copy_(feeds[i], /*non_blocking=*/true);
  run.recording->replay();
  return run.results;
}

void RecordedRuns::record(const CudaModule& module, Run& run, const Tensors& feeds, const Work& work) {
  try {
    try {
      try_to_record(module, run, feeds, work);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kMemory) throw;
      run.forget_recording();
      module.trim_memory();  // what the run before left is not what a recording may use
      try_to_record(module, run, feeds, work);
    }
  } catch (const Error& e) {
    run.forget_recording();
    if (e.code() == ErrorCode::kMemory) {
      LOG_FIRST_N(WARNING, 1) << "runs of some shapes are not recorded (CUDA graphs), they take longer: "
                              << e.what();
      run.takes_too_much = true;
      return;
    }
    LOG(WARNING) << "runs are not recorded (CUDA graphs), frames take longer: " << e.what();
    runs_.clear();
    given_up_ = true;
  }
}

void RecordedRuns::try_to_record(const CudaModule& module, Run& run, const Tensors& feeds, const Work& work) {
  const auto beside =
      std::ranges::find_if(runs_, [](const Run& other) { return other.recording != nullptr; });
  translating_exceptions([&] {
    run.feeds.clear();
    for (const at::Tensor& feed : feeds) run.feeds.push_back(at::empty_like(feed));
    run.recording = module.record([&] { run.results = work(run.feeds); },
                                  beside == runs_.end() ? nullptr : beside->recording.get());
  });
}

bool RecordedRuns::forget_recordings(const CudaModule& module) {
  const bool any = std::ranges::any_of(runs_, [](const Run& run) { return run.recording != nullptr; });
  for (Run& run : runs_) run.forget_recording();
  module.trim_memory();
  return any;
}

}  // namespace caffe2rt
