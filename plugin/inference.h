// Inference: the settings of one caffe2inference and the server that looks at its frames, without GObject.
#pragma once

#include <memory>
#include <mutex>
#include <thread>

#include "gst_ref.h"
#include "inference_settings.h"
#include "serving/server.h"

namespace caffe2rt::gst {

class Inference {
 public:
  explicit Inference(GstElement* element) : element_(element) {}
  ~Inference() { close(); }
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

  // Any thread.
  InferenceSettings settings() const;
  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(settings_lock_);
    f(settings_);
  }

  // State changes. open() loads the model and starts its workers, where that has not been done with these
  // settings, or joins those who share it. Throws Error.
  void open();
  void close();

  // Any thread: loads the model that the settings ask for beside the one that runs, and swaps them. One that
  // cannot be loaded is refused with a warning on the bus, and the settings are those of the old one again.
  void reload();

  // REQUIRES: open.
  const std::shared_ptr<Server>& server() const { return server_; }

 private:
  bool is_current() const;
  std::shared_ptr<const Model> load(InferenceSettings settings) const;
  void reload_until_current();

  GstElement* const element_;
  mutable std::mutex settings_lock_;
  // Guarded by settings_lock_.
  InferenceSettings settings_;
  InferenceSettings loaded_;  // what the server and its model were made with
  bool open_ = false, reloading_ = false;
  std::thread reloader_;

  std::shared_ptr<Server> server_;
};

}  // namespace caffe2rt::gst
