#include "serving/instances.h"

#include <map>
#include <mutex>

#include "base/error.h"

namespace caffe2rt {
namespace {

struct Instance {
  std::mutex lock;  // held while the server is made
  std::weak_ptr<Server> server;
  ServerWishes made_with;
};

// The instances stay, as empty shells, when their last stream has gone.
std::shared_ptr<Instance> find_instance(const std::string& name) {
  static std::mutex lock;
  static std::map<std::string, std::shared_ptr<Instance>> instances;
  const std::lock_guard guard(lock);
  auto& found = instances[name];
  if (!found) found = std::make_shared<Instance>();
  return found;
}

void require_same(const std::string& name, const ServerWishes& has, const ServerWishes& wishes) {
  for (size_t i = 0; i < wishes.size(); i++)
    require(!wishes[i].asked || wishes[i].value == has[i].value, ErrorCode::kArgument,
            "model-instance-id '{}' is shared with {} = '{}' and cannot have '{}' too", name, wishes[i].name,
            has[i].value, wishes[i].value);
}

}  // namespace

std::shared_ptr<Server> share_server(const std::string& name, const ServerWishes& wishes,
                                     const std::function<std::shared_ptr<Server>()>& make) {
  const std::shared_ptr<Instance> instance = find_instance(name);
  const std::lock_guard guard(instance->lock);
  std::shared_ptr<Server> server = instance->server.lock();
  if (server) {
    require_same(name, instance->made_with, wishes);
    return server;
  }
  server = make();
  instance->server = server;
  instance->made_with = wishes;
  return server;
}

void change_wishes(const std::string& name, const ServerWishes& wishes) {
  const std::shared_ptr<Instance> instance = find_instance(name);
  const std::lock_guard guard(instance->lock);
  instance->made_with = wishes;
}

}  // namespace caffe2rt
