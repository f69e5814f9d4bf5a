// What a live source is told: where its frames come from, and how long to wait for them. Plain values, copied
// when a connection is made.
#pragma once

#include <string>

namespace caffe2rt {

enum class Reconnect { kNever, kOnceSeen, kAlways };

struct LiveSettings {
  std::string uri;
  std::string user_id;
  std::string user_pw;
  std::string protocols;  // as rtspsrc takes them; empty: its own preset
  int latency = 200;      // ms, of rtspsrc's jitter buffer
  double timeout = 5;     // s without a frame until a connection is taken for dead
  Reconnect reconnect = Reconnect::kOnceSeen;
};

// `text` with *** for the password of the URI `uri`, where it has one.
std::string without_password(std::string text, const std::string& uri);

}  // namespace caffe2rt
