#include "inference_properties.h"

#include <string>

namespace caffe2rt::gst {
namespace {

enum Property {
  kModel = 1,
  kPredictNet,
  kInitNet,
  kLabelsFile,
  kDevice,
  kPrecision,
  kDisablePasses,
  kThreads,
  kMinSize,
  kMaxSize,
  kInputFormat,
  kLastOfModel = kInputFormat,
  kWorkers,
  kBatchSize,
  kBatchTimeout,
  kModelInstanceId,
  kThreshold,
  kClassThresholds,
  kMaxDetections,
  kOutput,
  kMeta,
  kInferenceInterval,
  kInferenceRegion,
  kObjectClass,
  kRoi,
  kTiles,
  kTileOverlap,
  kQueueSize,
  kDropPolicy,
  kOnDrop,
  kLatency,
  kQos,
  kStatsInterval,
  kFramesIn,
  kFramesInferred,
  kFramesPassed,
  kFramesDropped,
  kLatencyMean,
  kLatencyP95,
};

enum InputFormat { kAuto, kBgr, kRgb };

GType enum_type(const char* name, const GEnumValue* values) {
  const GType type = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(type, GstPluginAPIFlags(0));
  return type;
}

GType input_format_type() {
  static const GEnumValue values[] = {{kAuto, "What the model says, else BGR", "auto"},
                                      {kBgr, "Blue, green, red", "BGR"},
                                      {kRgb, "Red, green, blue", "RGB"},
                                      {0, nullptr, nullptr}};
  static const GType type = enum_type("GstCaffe2InputFormat", values);
  return type;
}

GType output_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Output::kBoxes), "Boxes, scores, classes and keypoints", "boxes"},
      {static_cast<int>(Output::kMasks), "Also masks, semantic and panoptic maps", "masks"},
      {static_cast<int>(Output::kRaw), "Also every output of the net as it came", "raw"},
      {0, nullptr, nullptr}};
  static const GType type = enum_type("GstCaffe2Output", values);
  return type;
}

GType drop_policy_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(DropPolicy::kAuto), "'newest' where the pipeline is live, else 'block'", "auto"},
      {static_cast<int>(DropPolicy::kBlock), "Every frame is looked at: the stream waits", "block"},
      {static_cast<int>(DropPolicy::kNewest),
       "The stream does not wait: the frame that has waited longest for the model goes without", "newest"},
      {0, nullptr, nullptr}};
  static const GType type = enum_type("GstCaffe2DropPolicy", values);
  return type;
}

GType on_drop_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(OnDrop::kPass), "It passes on, marked as not looked at", "pass"},
      {static_cast<int>(OnDrop::kDrop), "It is dropped", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = enum_type("GstCaffe2OnDrop", values);
  return type;
}

enum InferenceRegion { kFull, kOfObjects };

GType inference_region_type() {
  static const GEnumValue values[] = {
      {kFull, "The frame, or what 'roi' and 'tiles' say of it", "full"},
      {kOfObjects, "Each region that an element upstream attached: a second stage", "roi"},
      {0, nullptr, nullptr}};
  static const GType type = enum_type("GstCaffe2InferenceRegion", values);
  return type;
}

constexpr auto kReady = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReadable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

class Installer {
 public:
  explicit Installer(GObjectClass* object) : object_(object) {}

  void text(Property id, const char* name, const char* nick, const char* blurb, const char* preset = "",
            GParamFlags flags = kPlaying) {
    install(id, g_param_spec_string(name, nick, blurb, preset, flags));
  }
  void integer(Property id, const char* name, const char* nick, const char* blurb, int least, int most,
               int preset, GParamFlags flags = kPlaying) {
    install(id, g_param_spec_int(name, nick, blurb, least, most, preset, flags));
  }
  void choice(Property id, const char* name, const char* nick, const char* blurb, GType type, int preset) {
    install(id, g_param_spec_enum(name, nick, blurb, type, preset, kPlaying));
  }
  void counter(Property id, const char* name, const char* nick, const char* blurb) {
    install(id, g_param_spec_uint64(name, nick, blurb, 0, G_MAXUINT64, 0, kReadable));
  }
  void install(Property id, GParamSpec* spec) { g_object_class_install_property(object_, id, spec); }

 private:
  GObjectClass* const object_;
};

void install_model(Installer to) {
  to.text(kModel, "model", "Model",
          "Directory with model.pb and model_init.pb, or predict_net.pb and init_net.pb; goes before "
          "predict-net and init-net. While playing: it is loaded beside the one that runs and takes over "
          "between two frames; one that cannot be loaded is refused with a warning");
  to.text(kPredictNet, "predict-net", "Predict net", "File with the net, where 'model' is empty");
  to.text(kInitNet, "init-net", "Init net", "File with the net's weights, where 'model' is empty");
  to.text(kLabelsFile, "labels-file", "Labels file",
          "File with one class name a line, and after a tab, if wanted, the class's threshold; empty: "
          "labels.txt beside the net, where there is one");
  to.text(kDevice, "device", "Device", "Where the net runs: cpu, cuda, cuda:N or auto", "cpu");
  to.text(kPrecision, "precision", "Precision",
          "Numbers that layers multiply: fp32, whose results are the original's; bf16; int8, which needs the "
          "calibration.json that caffe2_calibrate writes beside the net; auto: fp32",
          "auto");
  to.text(
      kDisablePasses, "disable-passes", "Disabled passes",
      "Rewrites of the net to leave out, with commas between them: use_winograd, whose rounding differs from "
      "the original's by some 1e-5 of the values; all; others for finding mistakes");
  to.integer(kThreads, "threads", "Threads",
             "Threads that work on a frame (0: the cores of the process, shared out among the workers)", 0,
             1024, 0);
  to.integer(kMinSize, "min-size", "Shorter side",
             "Short side that frames are scaled to for the net (pixels; 0: they are not scaled; -1: what the "
             "model says, else the size a classifier was made for, else 800)",
             -1, 16384, -1);
  to.integer(kMaxSize, "max-size", "Longer side",
             "Most that the long side may come to by that (pixels, at least 1; -1: what the model says, else "
             "1333)",
             -1, 16384, -1);
  to.choice(kInputFormat, "input-format", "Input format",
            "Order of the colours that the model was trained on", input_format_type(), kAuto);
}

void install_serving(Installer to) {
  to.integer(kWorkers, "workers", "Workers",
             "Frames or batches that the model looks at at once, each with 'threads' threads (0: one)", 0,
             1024, 0, kReady);
  to.integer(
      kBatchSize, "batch-size", "Batch size",
      "Most frames of the same size that the model looks at together, of all elements that share it; a "
      "single stream fills no batch larger than its queue-size",
      1, 256, 1, kReady);
  to.integer(kBatchTimeout, "batch-timeout", "Batch timeout",
             "Most that a frame waits for others to fill its batch (ms)", 0, 60000, 0, kReady);
  to.text(kModelInstanceId, "model-instance-id", "Model instance",
          "Name of a model in this process: elements with the same name share its weights, workers and "
          "batches; those that ask for another model, device, precision, size, batch, threads or workers are "
          "refused. Empty: a model of its own",
          "", kReady);
}

void install_detection(Installer to) {
  to.install(kThreshold,
             g_param_spec_double("threshold", "Threshold",
                                 "Objects of a lower score are left out (0..1; -1: what the model says)", -1,
                                 1, -1, kPlaying));
  to.install(
      kClassThresholds,
      g_param_spec_boxed("class-thresholds", "Thresholds of classes",
                         "Thresholds of single classes by their labels, with '_' for what cannot stand "
                         "in a name: thresholds,person=0.7,traffic_light=0.4; they go before those of "
                         "the labels file and before 'threshold'",
                         GST_TYPE_STRUCTURE, kPlaying));
  to.integer(kMaxDetections, "max-detections", "Most detections",
             "The best so many objects of a frame are kept (-1: what the model says)", -1, G_MAXINT, -1);
  to.choice(kOutput, "output", "Output", "What is attached to a frame", output_type(),
            static_cast<int>(Output::kMasks));
  to.install(kMeta, g_param_spec_flags("meta", "Metadata", "What is attached to frames", meta_flags_type(),
                                       kDefaultMetas, kPlaying));
  to.integer(kInferenceInterval, "inference-interval", "Inference interval",
             "The model looks at every so manieth frame; the others pass on, marked as not looked at", 1,
             G_MAXINT, 1);
}

void install_regions(Installer to) {
  to.choice(kInferenceRegion, "inference-region", "Inference region", "What the model looks at",
            inference_region_type(), kFull);
  to.text(kObjectClass, "object-class", "Object class",
          "With inference-region=roi: only regions of this label are looked at; empty: all");
  to.text(kRoi, "roi", "Region of interest",
          "Part of the frame that is looked at, as x,y,width,height in pixels; empty: all of it");
  to.text(kTiles, "tiles", "Tiles",
          "Columns x rows of tiles that are looked at one by one, for small objects; what two of them see "
          "counts once",
          "1x1");
  to.install(kTileOverlap,
             g_param_spec_double("tile-overlap", "Overlap of tiles",
                                 "Part of a tile that its neighbour sees too", 0, 0.9, 0.2, kPlaying));
}

void install_streaming(Installer to) {
  to.integer(kQueueSize, "queue-size", "Queue size", "Most frames that wait for the model (frames)", 1, 1024,
             1);
  to.choice(kDropPolicy, "drop-policy", "Drop policy",
            "What happens where the model is slower than the stream", drop_policy_type(),
            static_cast<int>(DropPolicy::kAuto));
  to.choice(kOnDrop, "on-drop", "On drop", "What becomes of a frame that the policy 'newest' leaves out",
            on_drop_type(), static_cast<int>(OnDrop::kPass));
  to.integer(
      kLatency, "latency", "Latency",
      "What the element adds to a live pipeline's latency (ms; -1: as measured, with a fifth to spare)", -1,
      3600000, -1);
  to.install(kQos,
             g_param_spec_boolean("qos", "QoS",
                                  "Frames that are too late to be shown pass on without having been looked "
                                  "at, where the drop policy is 'newest'",
                                  TRUE, kPlaying));
  to.integer(kStatsInterval, "stats-interval", "Interval of statistics",
             "An element message 'caffe2inference-stats' with the counters is posted with the first frame "
             "after so long (ms; 0: none)",
             0, G_MAXINT, 0);
}

void install_counters(Installer to) {
  to.counter(
      kFramesIn, "frames-in", "Frames in",
      "Frames that came in since the stream started: frames-inferred + frames-passed + frames-dropped + "
      "those inside");
  to.counter(kFramesInferred, "frames-inferred", "Frames inferred", "Frames that the model looked at");
  to.counter(kFramesPassed, "frames-passed", "Frames passed", "Frames that passed on without that");
  to.counter(kFramesDropped, "frames-dropped", "Frames dropped",
             "Frames that were dropped, by on-drop=drop or by a flush");
  to.counter(kLatencyMean, "latency-us-mean", "Mean latency",
             "Time from a frame's coming in until it could leave, of the last 256 frames (us)");
  to.counter(kLatencyP95, "latency-us-p95", "95th percentile of latency",
             "What 95 in 100 of these frames kept to (us)");
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

const char* name_of(int input_format) {
  return input_format == kAuto ? "" : input_format == kBgr ? "BGR" : "RGB";
}

ClassThresholds thresholds_of(const GstStructure* structure) {
  ClassThresholds thresholds;
  for (gint i = 0; structure && i < gst_structure_n_fields(structure); i++) {
    const gchar* label = gst_structure_nth_field_name(structure, i);
    gdouble threshold = 0;
    gint whole = 0;
    if (gst_structure_get_int(structure, label, &whole))
      threshold = whole;
    else if (!gst_structure_get_double(structure, label, &threshold))
      continue;
    thresholds.emplace_back(label, static_cast<float>(threshold));
  }
  return thresholds;
}

GstStructure* structure_of(const ClassThresholds& thresholds) {
  if (thresholds.empty()) return nullptr;
  GstStructure* structure = gst_structure_new_empty("thresholds");
  for (const auto& [label, threshold] : thresholds)
    gst_structure_set(structure, label.c_str(), G_TYPE_DOUBLE, static_cast<double>(threshold), nullptr);
  return structure;
}

}  // namespace

void install_inference_properties(GObjectClass* object) {
  const Installer installer(object);
  install_model(installer);
  install_serving(installer);
  install_detection(installer);
  install_regions(installer);
  install_streaming(installer);
  install_counters(installer);
}

bool is_model_property(guint id) { return id <= kLastOfModel; }

bool set_inference_property(InferenceSettings& s, guint id, const GValue* value) {
  ModelOptions& o = s.options;
  switch (id) {
    case kModel:
      s.model = text_of(value);
      return true;
    case kPredictNet:
      o.predict_net = text_of(value);
      return true;
    case kInitNet:
      o.init_net = text_of(value);
      return true;
    case kLabelsFile:
      o.labels_file = text_of(value);
      return true;
    case kDevice:
      o.device = text_of(value);
      return true;
    case kPrecision:
      o.precision = text_of(value);
      return true;
    case kDisablePasses:
      o.disable_passes = text_of(value);
      return true;
    case kThreads:
      o.threads = g_value_get_int(value);
      return true;
    case kMinSize:
      o.min_size = g_value_get_int(value);
      return true;
    case kMaxSize:
      o.max_size = g_value_get_int(value);
      return true;
    case kInputFormat:
      o.input_format = name_of(g_value_get_enum(value));
      return true;
    case kWorkers:
      s.workers = g_value_get_int(value);
      return true;
    case kBatchSize:
      s.batch_size = g_value_get_int(value);
      return true;
    case kBatchTimeout:
      s.batch_timeout = g_value_get_int(value);
      return true;
    case kModelInstanceId:
      s.instance_id = text_of(value);
      return true;
    case kThreshold:
      s.threshold = g_value_get_double(value);
      return true;
    case kClassThresholds:
      s.class_thresholds = thresholds_of(gst_value_get_structure(value));
      return true;
    case kMaxDetections:
      s.max_detections = g_value_get_int(value);
      return true;
    case kOutput:
      s.output = static_cast<Output>(g_value_get_enum(value));
      return true;
    case kInferenceInterval:
      s.interval = g_value_get_int(value);
      return true;
    case kMeta:
      s.metas = g_value_get_flags(value);
      return true;
    case kInferenceRegion:
      s.regions.of_objects = g_value_get_enum(value) == kOfObjects;
      return true;
    case kObjectClass:
      s.regions.object_class = text_of(value);
      return true;
    case kRoi:
      s.regions.rect = text_of(value);
      return true;
    case kTiles:
      s.regions.tiles = text_of(value);
      return true;
    case kTileOverlap:
      s.regions.tile_overlap = g_value_get_double(value);
      return true;
    case kQueueSize:
      s.queue_size = g_value_get_int(value);
      return true;
    case kDropPolicy:
      s.drop_policy = static_cast<DropPolicy>(g_value_get_enum(value));
      return true;
    case kOnDrop:
      s.on_drop = static_cast<OnDrop>(g_value_get_enum(value));
      return true;
    case kLatency:
      s.latency = g_value_get_int(value);
      return true;
    case kQos:
      s.qos = g_value_get_boolean(value);
      return true;
    case kStatsInterval:
      s.stats_interval = g_value_get_int(value);
      return true;
    default:
      return false;
  }
}

bool get_inference_property(const InferenceSettings& s, const StreamStats& stats, guint id, GValue* value) {
  const ModelOptions& o = s.options;
  const auto text = [&](const std::string& t) { return g_value_set_string(value, t.c_str()), true; };
  const auto integer = [&](int i) { return g_value_set_int(value, i), true; };
  const auto choice = [&](auto e) { return g_value_set_enum(value, static_cast<int>(e)), true; };
  const auto counter = [&](guint64 n) { return g_value_set_uint64(value, n), true; };
  switch (id) {
    case kModel:
      return text(s.model);
    case kPredictNet:
      return text(o.predict_net);
    case kInitNet:
      return text(o.init_net);
    case kLabelsFile:
      return text(o.labels_file);
    case kDevice:
      return text(o.device);
    case kPrecision:
      return text(o.precision);
    case kDisablePasses:
      return text(o.disable_passes);
    case kThreads:
      return integer(o.threads);
    case kMinSize:
      return integer(o.min_size);
    case kMaxSize:
      return integer(o.max_size);
    case kInputFormat:
      return choice(o.input_format.empty() ? kAuto : o.input_format == "BGR" ? kBgr : kRgb);
    case kWorkers:
      return integer(s.workers);
    case kBatchSize:
      return integer(s.batch_size);
    case kBatchTimeout:
      return integer(s.batch_timeout);
    case kModelInstanceId:
      return text(s.instance_id);
    case kThreshold:
      return g_value_set_double(value, s.threshold), true;
    case kClassThresholds:
      return g_value_take_boxed(value, structure_of(s.class_thresholds)), true;
    case kMaxDetections:
      return integer(s.max_detections);
    case kOutput:
      return choice(s.output);
    case kInferenceInterval:
      return integer(s.interval);
    case kMeta:
      return g_value_set_flags(value, s.metas), true;
    case kInferenceRegion:
      return choice(s.regions.of_objects ? kOfObjects : kFull);
    case kObjectClass:
      return text(s.regions.object_class);
    case kRoi:
      return text(s.regions.rect);
    case kTiles:
      return text(s.regions.tiles);
    case kTileOverlap:
      return g_value_set_double(value, s.regions.tile_overlap), true;
    case kQueueSize:
      return integer(s.queue_size);
    case kDropPolicy:
      return choice(s.drop_policy);
    case kOnDrop:
      return choice(s.on_drop);
    case kLatency:
      return integer(s.latency);
    case kQos:
      return g_value_set_boolean(value, s.qos), true;
    case kStatsInterval:
      return integer(s.stats_interval);
    case kFramesIn:
      return counter(stats.frames_in);
    case kFramesInferred:
      return counter(stats.frames_inferred);
    case kFramesPassed:
      return counter(stats.frames_passed);
    case kFramesDropped:
      return counter(stats.frames_dropped);
    case kLatencyMean:
      return counter(stats.latency_mean.count());
    case kLatencyP95:
      return counter(stats.latency_p95.count());
    default:
      return false;
  }
}

GstStructure* structure_of(const StreamStats& stats) {
  return gst_structure_new("caffe2inference-stats", "frames-in", G_TYPE_UINT64, stats.frames_in,
                           "frames-inferred", G_TYPE_UINT64, stats.frames_inferred, "frames-passed",
                           G_TYPE_UINT64, stats.frames_passed, "frames-dropped", G_TYPE_UINT64,
                           stats.frames_dropped, "latency-mean", G_TYPE_UINT64,
                           static_cast<guint64>(stats.latency_mean.count()), "latency-p95", G_TYPE_UINT64,
                           static_cast<guint64>(stats.latency_p95.count()), nullptr);
}

}  // namespace caffe2rt::gst
