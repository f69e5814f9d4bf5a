#include "inference.h"

#include <utility>

#include "engine.h"
#include "guard.h"

GST_DEBUG_CATEGORY_EXTERN(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

namespace caffe2rt::gst {

InferenceSettings Inference::settings() const {
  const std::lock_guard lock(settings_lock_);
  return settings_;
}

// REQUIRES: settings_lock_ is held.
bool Inference::is_current() const {
  return settings_.same_model(loaded_) && settings_.instance_id == loaded_.instance_id &&
         settings_.workers == loaded_.workers && settings_.batch_size == loaded_.batch_size &&
         settings_.batch_timeout == loaded_.batch_timeout;
}

std::shared_ptr<const Model> Inference::load(InferenceSettings settings) const {
  ModelOptions& options = settings.options;
  if (!settings.model.empty()) find_model_files(settings.model, options);
  require(
      !options.predict_net.empty() && !options.init_net.empty(), ErrorCode::kArgument,
      "no model: set 'model' to a directory with model.pb and model_init.pb, or 'predict-net' and 'init-net' "
      "to files");
  options.threads = choose_parallelism(settings).threads;
  std::shared_ptr<const Model> model = open_model(options);
  const ModelInfo& info = model->info();
  GST_INFO_OBJECT(element_, "%s: %s '%s', short side %d, long side at most %d, %s",
                  options.predict_net.c_str(), info.meta_architecture.c_str(), info.name.c_str(),
                  info.min_size, info.max_size, info.input_format.c_str());
  return model;
}

void Inference::open() {
  const InferenceSettings settings = this->settings();
  if (server_) {
    const std::lock_guard lock(settings_lock_);
    if (is_current()) return;
  }
  close();
  const RegionPlan is_valid(settings.regions);
  const auto make = [&] {
    const auto timeout = std::chrono::milliseconds(settings.batch_timeout);
    return std::make_shared<Server>(
        load(settings), ServerOptions{choose_parallelism(settings).workers, settings.batch_size, timeout});
  };
  server_ =
      settings.instance_id.empty() ? make() : share_server(settings.instance_id, settings.wishes(), make);
  const std::lock_guard lock(settings_lock_);
  loaded_ = settings;
  open_ = true;
}

void Inference::close() {
  std::thread reloader;
  {
    const std::lock_guard lock(settings_lock_);
    open_ = false;
    reloader.swap(reloader_);
  }
  if (reloader.joinable()) reloader.join();
  server_.reset();
}

void Inference::reload() {
  const std::lock_guard lock(settings_lock_);
  if (!open_ || reloading_ || settings_.same_model(loaded_)) return;
  reloading_ = true;
  if (reloader_.joinable()) reloader_.join();  // it is past its last lock
  reloader_ = std::thread([this] { reload_until_current(); });
}

void Inference::reload_until_current() {
  for (;;) {
    InferenceSettings wanted;
    {
      const std::lock_guard lock(settings_lock_);
      if (!open_ || settings_.same_model(loaded_)) {
        reloading_ = false;
        return;
      }
      wanted = settings_;
    }
    try {
      server_->set_model(load(wanted));
      if (!wanted.instance_id.empty()) change_wishes(wanted.instance_id, wanted.wishes());
      const std::lock_guard lock(settings_lock_);
      loaded_ = std::move(wanted);
    } catch (const std::exception& e) {
      post_warning(element_, During::kSetup, e, "The model that was there goes on.");
      const std::lock_guard lock(settings_lock_);
      if (!settings_.same_model(wanted)) continue;  // another has been set by now
      settings_.model = loaded_.model;
      settings_.options = loaded_.options;
    }
  }
}

}  // namespace caffe2rt::gst
