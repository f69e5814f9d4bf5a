// InferenceSettings: what the properties of caffe2inference say.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attach_metas.h"
#include "frame_regions.h"
#include "model/model.h"
#include "serving/instances.h"

namespace caffe2rt::gst {

enum class DropPolicy { kAuto, kBlock, kNewest };
enum class OnDrop { kPass, kDrop };

using ClassThresholds = std::vector<std::pair<std::string, float>>;  // by label

struct InferenceSettings {
  // Of the model, and of all streams that share it.
  std::string model;     // directory; empty: the files in `options`
  ModelOptions options;  // but for threshold, max_detections and output
  std::string instance_id;
  int workers = 0;        // 0: see choose_workers
  int batch_size = 1;     // frames
  int batch_timeout = 0;  // ms

  // Of each frame.
  double threshold = -1;    // negative: what the net itself keeps
  int max_detections = -1;  // negative: all
  ClassThresholds class_thresholds;
  Output output = Output::kMasks;
  int interval = 1;  // one frame in so many is looked at
  RegionSettings regions;
  guint metas = kDefaultMetas;

  // Of the stream.
  int queue_size = 1;
  DropPolicy drop_policy = DropPolicy::kAuto;
  OnDrop on_drop = OnDrop::kPass;
  int latency = -1;  // ms; negative: as measured
  bool qos = true;
  int stats_interval = 0;  // ms; 0: none

  bool same_model(const InferenceSettings& other) const;
  // Whether the same is asked of each frame.
  bool same_questions(const InferenceSettings& other) const;
  ServerWishes wishes() const;
};

// Workers and threads that a model of these settings gets: where not set, a worker for each device, and the
// cores shared out among the workers.
struct Parallelism {
  int workers = 1, threads = 1;
};
Parallelism choose_parallelism(const InferenceSettings& settings);

// Writes thresholds into those of a model, whose labels may have '_' here for any character that is neither
// letter nor digit. Returns the labels that the model has not.
std::vector<std::string> set_class_thresholds(const ClassThresholds& thresholds, const Model& model,
                                              DetectOptions& options);

}  // namespace caffe2rt::gst
