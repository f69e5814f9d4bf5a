// Workspaces of a net that is run by several threads, now by this one and now by that: what one has recorded
// serves the next run, whoever asks for it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/compiled_net.h"

namespace caffe2rt {

// Thread-safe.
class Workspaces {
 public:
  using Lent = std::unique_ptr<Workspace, std::function<void(Workspace*)>>;

  // One that nobody has, which comes back by itself. REQUIRES: this outlives it.
  Lent lend();

 private:
  std::mutex lock_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace caffe2rt
