#include "inference_settings.h"

#include <glib.h>

#include <algorithm>

#include "base/cores.h"
#include "base/error.h"

namespace caffe2rt::gst {

bool InferenceSettings::same_model(const InferenceSettings& other) const {
  return model == other.model && options == other.options;
}

bool InferenceSettings::same_questions(const InferenceSettings& other) const {
  return threshold == other.threshold && max_detections == other.max_detections && output == other.output &&
         class_thresholds == other.class_thresholds;
}

ServerWishes InferenceSettings::wishes() const {
  const InferenceSettings preset;
  ServerWishes wishes;
  const auto add = [&](const char* name, const auto& value, const auto& otherwise) {
    wishes.push_back({name, fmt::format("{}", value), value != otherwise});
  };
  const ModelOptions &o = options, &p = preset.options;
  add("model", model, preset.model);
  add("predict-net", o.predict_net, p.predict_net);
  add("init-net", o.init_net, p.init_net);
  add("labels-file", o.labels_file, p.labels_file);
  add("device", o.device, p.device);
  add("max-memory", o.max_memory, p.max_memory);
  add("precision", o.precision, p.precision);
  add("disable-passes", o.disable_passes, p.disable_passes);
  add("threads", o.threads, p.threads);
  add("workers", workers, preset.workers);
  add("min-size", o.min_size, p.min_size);
  add("max-size", o.max_size, p.max_size);
  add("input-format", o.input_format, p.input_format);
  add("batch-size", batch_size, preset.batch_size);
  add("batch-timeout", batch_timeout, preset.batch_timeout);
  return wishes;
}

Parallelism choose_parallelism(const InferenceSettings& settings) {
  Parallelism chosen;
  const auto devices = std::ranges::count(settings.options.device, ',') + 1;
  chosen.workers = settings.workers > 0 ? settings.workers : static_cast<int>(devices);
  chosen.threads =
      settings.options.threads > 0 ? settings.options.threads : std::max(1, allowed_cores() / chosen.workers);
  return chosen;
}

namespace {

std::string plain(std::string label) {
  for (char& c : label)
    if (g_ascii_isalnum(c) == 0) c = '_';
  return label;
}

}  // namespace

std::vector<std::string> set_class_thresholds(const ClassThresholds& thresholds, const Model& model,
                                              DetectOptions& options) {
  std::vector<std::string> unknown;
  const auto& labels = model.info().labels;
  for (const auto& [label, threshold] : thresholds) {
    bool found = false;
    for (size_t i = 0; labels && i < labels->size(); i++) {
      if (plain(labels->at(i)) != plain(label)) continue;
      found = true;
      if (options.class_thresholds.size() <= i) options.class_thresholds.resize(i + 1, -1);
      options.class_thresholds[i] = threshold;
    }
    if (!found) unknown.push_back(label);
  }
  return unknown;
}

}  // namespace caffe2rt::gst
