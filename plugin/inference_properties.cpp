#include "inference_properties.h"

#include <string>

#include "property_table.h"

namespace caffe2rt::gst {
namespace {

enum InputFormat { kAuto, kBgr, kRgb };

GType input_format_type() {
  static const GEnumValue values[] = {{kAuto, "What the model says, else BGR", "auto"},
                                      {kBgr, "Blue, green, red", "BGR"},
                                      {kRgb, "Red, green, blue", "RGB"},
                                      {0, nullptr, nullptr}};
  static const GType type = register_enum("GstCaffe2InputFormat", values);
  return type;
}

GType output_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Output::kBoxes), "Boxes, scores, classes and keypoints", "boxes"},
      {static_cast<int>(Output::kMasks), "Also masks, semantic and panoptic maps", "masks"},
      {static_cast<int>(Output::kRaw), "Also every output of the net as it came", "raw"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("GstCaffe2Output", values);
  return type;
}

GType drop_policy_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(DropPolicy::kAuto), "'newest' where the pipeline is live, else 'block'", "auto"},
      {static_cast<int>(DropPolicy::kBlock), "Every frame is looked at: the stream waits", "block"},
      {static_cast<int>(DropPolicy::kNewest),
       "The stream does not wait: the frame that has waited longest for the model goes without", "newest"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("GstCaffe2DropPolicy", values);
  return type;
}

GType on_drop_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(OnDrop::kPass), "It passes on, marked as not looked at", "pass"},
      {static_cast<int>(OnDrop::kDrop), "It is dropped", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("GstCaffe2OnDrop", values);
  return type;
}

enum InferenceRegion { kFull, kOfObjects };

GType inference_region_type() {
  static const GEnumValue values[] = {
      {kFull, "The frame, or what 'roi' and 'tiles' say of it", "full"},
      {kOfObjects, "Each region that an element upstream attached: a second stage", "roi"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("GstCaffe2InferenceRegion", values);
  return type;
}

const char* name_of(int input_format) {
  return input_format == kAuto ? "" : input_format == kBgr ? "BGR" : "RGB";
}

ClassThresholds thresholds_of(const GstStructure* structure) {
  ClassThresholds thresholds;
  for (gint i = 0; structure && i < gst_structure_n_fields(structure); i++) {
    const gchar* label = gst_structure_nth_field_name(structure, i);
    GValue threshold = G_VALUE_INIT;
    g_value_init(&threshold, G_TYPE_DOUBLE);
    const bool is_number = g_value_transform(gst_structure_get_value(structure, label), &threshold) != FALSE;
    const double value = g_value_get_double(&threshold);
    if (is_number && value >= 0 && value <= 1)
      thresholds.emplace_back(label, static_cast<float>(value));
    else
      g_warning("class-thresholds: expected a score from 0 to 1 for '%s'; it is left out", label);
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

using Table = PropertyTable<InferenceSettings>;

void add_model(Table& to) {
  to.text("model", "Model",
          "Directory with model.pb and model_init.pb, or predict_net.pb and init_net.pb; goes before "
          "predict-net and init-net. While playing: it is loaded beside the one that runs and takes over "
          "between two frames; one that cannot be loaded is refused with a warning",
          CAFFE2RT_FIELD(model));
  to.text("predict-net", "Predict net", "File with the net, where 'model' is empty",
          CAFFE2RT_FIELD(options.predict_net));
  to.text("init-net", "Init net", "File with the net's weights, where 'model' is empty",
          CAFFE2RT_FIELD(options.init_net));
  to.text("labels-file", "Labels file",
          "File with one class name a line, and after a tab, if wanted, the class's threshold; empty: "
          "labels.txt beside the net, where there is one",
          CAFFE2RT_FIELD(options.labels_file));
  to.text("device", "Device",
          "Where the net runs: cpu, cuda, cuda:N or auto; several with commas between them, as in "
          "cuda:0,cuda:1: each batch goes to the one that has least to do",
          CAFFE2RT_FIELD(options.device));
  to.integer(
      "max-memory", "Most memory",
      "Most memory that models of this process may have on each GPU (MiB; 0: all there is). Where it does "
      "not suffice for a batch, batches are made smaller",
      CAFFE2RT_FIELD(options.max_memory), 0, G_MAXINT);
  to.text(
      "precision", "Precision",
      "Numbers that layers multiply: fp32, whose results are the original's; bf16; fp16, on a GPU alone; "
      "int8, on a CPU alone, which needs the calibration.json that caffe2_calibrate writes beside the net; "
      "auto: fp32",
      CAFFE2RT_FIELD(options.precision));
  to.text(
      "disable-passes", "Disabled passes",
      "Rewrites of the net to leave out, with commas between them: use_winograd, whose rounding differs from "
      "the original's by some 1e-5 of the values; all; others for finding mistakes",
      CAFFE2RT_FIELD(options.disable_passes));
  to.integer("threads", "Threads",
             "Threads that work on a frame (0: the cores of the process, shared out among the workers)",
             CAFFE2RT_FIELD(options.threads), 0, 1024);
  to.integer("min-size", "Shorter side",
             "Short side that frames are scaled to for the net (pixels; 0: they are not scaled; -1: what the "
             "model says, else the size a classifier was made for, else 800)",
             CAFFE2RT_FIELD(options.min_size), -1, 16384);
  to.integer("max-size", "Longer side",
             "Most that the long side may come to by that (pixels, at least 1; -1: what the model says, else "
             "1333)",
             CAFFE2RT_FIELD(options.max_size), -1, 16384);
  to.add(
      g_param_spec_enum("input-format", "Input format", "Order of the colours that the model was trained on",
                        input_format_type(), kAuto, kMutablePlaying),
      [](InferenceSettings& s, const GValue* value) {
        s.options.input_format = name_of(g_value_get_enum(value));
      },
      [](const InferenceSettings& s, GValue* value) {
        const std::string& format = s.options.input_format;
        g_value_set_enum(value, format.empty() ? kAuto : format == "BGR" ? kBgr : kRgb);
      });
}

void add_serving(Table& to) {
  to.integer(
      "workers", "Workers",
      "Frames or batches that the model looks at at once, each with 'threads' threads (0: one a device)",
      CAFFE2RT_FIELD(workers), 0, 1024, kMutableReady);
  to.integer(
      "batch-size", "Batch size",
      "Most frames of the same size that the model looks at together, of all elements that share it; "
      "without batch-timeout a single stream gives a model that is busy at most queue-size frames at a time",
      CAFFE2RT_FIELD(batch_size), 1, 256, kMutableReady);
  to.integer("batch-timeout", "Batch timeout", "Most that a frame waits for others to fill its batch (ms)",
             CAFFE2RT_FIELD(batch_timeout), 0, 60000, kMutableReady);
  to.text("model-instance-id", "Model instance",
          "Name of a model in this process: elements with the same name share its weights, workers and "
          "batches; those that ask for another model, device, precision, size, batch, threads or workers "
          "than the shared one has by now are refused. Empty: a model of its own",
          CAFFE2RT_FIELD(instance_id), kMutableReady);
}

void add_detection(Table& to) {
  to.number("threshold", "Threshold", "Objects of a lower score are left out (0..1; -1: what the model says)",
            CAFFE2RT_FIELD(threshold), -1, 1);
  to.add(
      g_param_spec_boxed("class-thresholds", "Thresholds of classes",
                         "Thresholds of single classes by their labels, with '_' for what cannot stand "
                         "in a name: thresholds,person=0.7,traffic_light=0.4; they go before those of "
                         "the labels file and before 'threshold'",
                         GST_TYPE_STRUCTURE, kMutablePlaying),
      [](InferenceSettings& s, const GValue* value) {
        s.class_thresholds = thresholds_of(gst_value_get_structure(value));
      },
      [](const InferenceSettings& s, GValue* value) {
        g_value_take_boxed(value, structure_of(s.class_thresholds));
      });
  to.integer("max-detections", "Most detections",
             "The best so many objects of a frame are kept (-1: what the model says)",
             CAFFE2RT_FIELD(max_detections), -1, G_MAXINT);
  to.choice("output", "Output", "What is attached to a frame", output_type(), CAFFE2RT_FIELD(output));
  to.flags("meta", "Metadata", "What is attached to frames", meta_flags_type(), CAFFE2RT_FIELD(metas));
  to.integer("inference-interval", "Inference interval",
             "The model looks at every so manieth frame; the others pass on, marked as not looked at",
             CAFFE2RT_FIELD(interval), 1, G_MAXINT);
}

void add_regions(Table& to) {
  to.choice("inference-region", "Inference region", "What the model looks at", inference_region_type(),
            CAFFE2RT_FIELD(regions.of_objects));
  to.text("object-class", "Object class",
          "With inference-region=roi: only regions of this label are looked at; empty: all",
          CAFFE2RT_FIELD(regions.object_class));
  to.text("roi", "Region of interest",
          "Part of the frame that is looked at, as x,y,width,height in pixels; empty: all of it",
          CAFFE2RT_FIELD(regions.rect));
  to.text("tiles", "Tiles",
          "Columns x rows of tiles that are looked at one by one, for small objects; what two of them see "
          "counts once",
          CAFFE2RT_FIELD(regions.tiles));
  to.number("tile-overlap", "Overlap of tiles", "Part of a tile that its neighbour sees too",
            CAFFE2RT_FIELD(regions.tile_overlap), 0, 0.9);
}

void add_streaming(Table& to) {
  to.integer("queue-size", "Queue size", "Most frames that wait for the model (frames)",
             CAFFE2RT_FIELD(queue_size), 1, 1024);
  to.choice("drop-policy", "Drop policy", "What happens where the model is slower than the stream",
            drop_policy_type(), CAFFE2RT_FIELD(drop_policy));
  to.choice("on-drop", "On drop", "What becomes of a frame that the policy 'newest' leaves out",
            on_drop_type(), CAFFE2RT_FIELD(on_drop));
  to.integer(
      "latency", "Latency",
      "What the element adds to a live pipeline's latency (ms; -1: as measured, with a fifth to spare)",
      CAFFE2RT_FIELD(latency), -1, 3600000);
  to.flag("qos", "QoS",
          "Frames that are too late to be shown pass on without having been looked "
          "at, where the drop policy is 'newest'",
          CAFFE2RT_FIELD(qos));
  to.integer("stats-interval", "Interval of statistics",
             "An element message 'caffe2inference-stats' with the counters is posted with the first frame "
             "after so long (ms; 0: none)",
             CAFFE2RT_FIELD(stats_interval), 0, G_MAXINT);
}

struct Tables {
  Table settings;
  guint first_not_of_model = 0;

  Tables() {
    add_model(settings);
    first_not_of_model = settings.next_id();
    add_serving(settings);
    add_detection(settings);
    add_regions(settings);
    add_streaming(settings);
  }
};

const Tables& tables() {
  static const Tables all;
  return all;
}

PropertyTable<StreamStats> make_counters() {
  PropertyTable<StreamStats> counters(tables().settings.next_id());
  const auto add = [&](const char* name, const char* nick, const char* blurb, auto count) {
    counters.add(g_param_spec_uint64(name, nick, blurb, 0, G_MAXUINT64, 0, kReadable), nullptr,
                 [count](const StreamStats& s, GValue* value) { g_value_set_uint64(value, count(s)); });
  };
  add("frames-in", "Frames in",
      "Frames that came in since the stream started: frames-inferred + frames-passed + frames-dropped + "
      "those inside",
      [](const StreamStats& s) { return guint64(s.frames_in); });
  add("frames-inferred", "Frames inferred", "Frames that the model looked at",
      [](const StreamStats& s) { return guint64(s.frames_inferred); });
  add("frames-passed", "Frames passed", "Frames that passed on without that",
      [](const StreamStats& s) { return guint64(s.frames_passed); });
  add("frames-dropped", "Frames dropped", "Frames that were dropped, by on-drop=drop or by a flush",
      [](const StreamStats& s) { return guint64(s.frames_dropped); });
  add("latency-us-mean", "Mean latency",
      "Time from a frame's coming in until it could leave, of the last 256 frames (us)",
      [](const StreamStats& s) { return guint64(s.latency_mean.count()); });
  add("latency-us-p95", "95th percentile of latency", "What 95 in 100 of these frames kept to (us)",
      [](const StreamStats& s) { return guint64(s.latency_p95.count()); });
  return counters;
}

const PropertyTable<StreamStats>& counters() {
  static const PropertyTable<StreamStats> all = make_counters();
  return all;
}

}  // namespace

void install_inference_properties(GObjectClass* object) {
  tables().settings.install(object);
  counters().install(object);
}

bool is_model_property(guint id) { return id < tables().first_not_of_model; }

bool set_inference_property(InferenceSettings& settings, guint id, const GValue* value) {
  return tables().settings.set(settings, id, value);
}

bool get_inference_property(const InferenceSettings& settings, const StreamStats& stats, guint id,
                            GValue* value) {
  return tables().settings.get(settings, id, value) || counters().get(stats, id, value);
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
