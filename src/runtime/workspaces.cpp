#include "runtime/workspaces.h"

#include <utility>

namespace caffe2rt {

Workspaces::Lent Workspaces::lend() {
  std::unique_ptr<Workspace> workspace;
  {
    const std::lock_guard lock(lock_);
    if (!free_.empty()) {
      workspace = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!workspace) workspace = std::make_unique<Workspace>();
  return {workspace.release(), [this](Workspace* lent) {
            std::unique_ptr<Workspace> back(lent);
            const std::lock_guard lock(lock_);
            free_.push_back(std::move(back));
          }};
}

}  // namespace caffe2rt
