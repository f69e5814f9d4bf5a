#include "runtime/workspaces.h"

#include <utility>

namespace caffe2rt {

Workspaces::Lent Workspaces::lend() {
  auto workspace = std::make_unique<Workspace>();
  {
    const std::lock_guard lock(lock_);
    if (!free_.empty()) {
      workspace = std::move(free_.back());
      free_.pop_back();
    }
  }
  return {workspace.release(), [this](Workspace* lent) {
            std::unique_ptr<Workspace> back(lent);
            const std::lock_guard lock(lock_);
            free_.push_back(std::move(back));
          }};
}

}  // namespace caffe2rt
