// Servers that streams of this process share by name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serving/server.h"

namespace caffe2rt {

// What a stream asks of a shared server, as texts to compare and to show.
struct ServerWish {
  std::string name, value;
  bool asked = true;  // false: the value is only what it would be if nobody asked
};
using ServerWishes = std::vector<ServerWish>;

// The server of that name: the one that there is, or what `make` makes where no stream has one. Streams that
// ask for the same name meanwhile wait. Throws what `make` throws, and Error(kArgument) that names both
// values where the wishes differ from those that the server was made with. `wishes` have the same names in
// the same order in every call.
std::shared_ptr<Server> share_server(const std::string& name, const ServerWishes& wishes,
                                     const std::function<std::shared_ptr<Server>()>& make);

// Says that a shared server has been given other values since it was made.
void change_wishes(const std::string& name, const ServerWishes& wishes);

}  // namespace caffe2rt
