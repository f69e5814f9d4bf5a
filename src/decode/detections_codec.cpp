#include "decode/detections_codec.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/error.h"

namespace caffe2rt {
namespace {

using nlohmann::json;

// One function a type says which fields it has: `codec` writes them into a map, or reads them from one.
class Writer {
 public:
  template <class T>
  void field(const char* name, const T& value) {
    map_[name] = to(value);
  }
  json take() { return std::move(map_); }

 private:
  template <class T>
  static json to(const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      return value;
    } else {
      Writer writer;
      fields(writer, value);
      return writer.take();
    }
  }
  template <class T>
  static json to(const std::optional<T>& value) {
    return value ? to(*value) : json();
  }
  template <class T>
  static json to(const std::vector<T>& values) {
    if constexpr (std::is_arithmetic_v<T>) {
      json::binary_t bytes;
      bytes.resize(values.size() * sizeof(T));
      if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
      return json::binary(std::move(bytes));
    } else {
      json list = json::array();
      for (const T& value : values) list.push_back(to(value));
      return list;
    }
  }

  json map_ = json::object();
};

class Reader {
 public:
  explicit Reader(const json& map) : map_(map) {}

  template <class T>
  void field(const char* name, T& value) {
    from(map_.at(name), value);
  }

 private:
  template <class T>
  static void from(const json& data, T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      data.get_to(value);
    } else {
      Reader reader(data);
      fields(reader, value);
    }
  }
  template <class T>
  static void from(const json& data, std::optional<T>& value) {
    value.reset();
    if (data.is_null()) return;
    T read{};
    from(data, read);
    value = std::move(read);
  }
  template <class T>
  static void from(const json& data, std::vector<T>& values) {
    values.clear();
    if constexpr (std::is_arithmetic_v<T>) {
      const json::binary_t& bytes = data.get_binary();
      require(bytes.size() % sizeof(T) == 0, ErrorCode::kFormat, "{} bytes of numbers of {}", bytes.size(),
              sizeof(T));
      values.resize(bytes.size() / sizeof(T));
      if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    } else {
      values.resize(data.get_ref<const json::array_t&>().size());
      for (size_t i = 0; i < values.size(); i++) from(data[i], values[i]);
    }
  }

  const json& map_;
};

template <class C, class T>
concept Of = std::is_same_v<std::remove_const_t<C>, T>;

template <class Codec>
void fields(Codec& codec, Of<Box> auto& box) {
  codec.field("x1", box.x1);
  codec.field("y1", box.y1);
  codec.field("x2", box.x2);
  codec.field("y2", box.y2);
}

template <class Codec>
void fields(Codec& codec, Of<RotatedBox> auto& box) {
  codec.field("cx", box.cx);
  codec.field("cy", box.cy);
  codec.field("width", box.width);
  codec.field("height", box.height);
  codec.field("angle", box.angle);
}

template <class Codec>
void fields(Codec& codec, Of<Keypoint> auto& point) {
  codec.field("x", point.x);
  codec.field("y", point.y);
  codec.field("score", point.score);
}

template <class Codec>
void fields(Codec& codec, Of<Object> auto& object) {
  codec.field("box", object.box);
  codec.field("rotated", object.rotated);
  codec.field("score", object.score);
  codec.field("class_id", object.class_id);
  codec.field("keypoints", object.keypoints);
  codec.field("region", object.region);
  codec.field("track_id", object.track_id);
}

template <class Codec>
void fields(Codec& codec, Of<SoftMasks> auto& masks) {
  codec.field("size", masks.size);
  codec.field("probs", masks.probs);
}

template <class Codec>
void fields(Codec& codec, Of<LabelMap> auto& map) {
  codec.field("width", map.width);
  codec.field("height", map.height);
  codec.field("ids", map.ids);
}

template <class Codec>
void fields(Codec& codec, Of<PanopticSegment> auto& segment) {
  codec.field("id", segment.id);
  codec.field("is_thing", segment.is_thing);
  codec.field("category_id", segment.category_id);
  codec.field("object", segment.object);
  codec.field("score", segment.score);
  codec.field("area", segment.area);
}

template <class Codec>
void fields(Codec& codec, Of<ClassScore> auto& one) {
  codec.field("class_id", one.class_id);
  codec.field("score", one.score);
}

template <class Codec>
void fields(Codec& codec, Of<FrameRect> auto& rect) {
  codec.field("x", rect.x);
  codec.field("y", rect.y);
  codec.field("width", rect.width);
  codec.field("height", rect.height);
}

template <class Codec>
void fields(Codec& codec, Of<Region> auto& region) {
  codec.field("rect", region.rect);
  codec.field("parent", region.parent);
  codec.field("classes", region.classes);
}

template <class Codec>
void fields(Codec& codec, Of<RawTensor> auto& tensor) {
  codec.field("name", tensor.name);
  codec.field("shape", tensor.shape);
  codec.field("values", tensor.values);
}

template <class Codec>
void fields(Codec& codec, Of<Point> auto& point) {
  codec.field("x", point.x);
  codec.field("y", point.y);
}

template <class Codec>
void fields(Codec& codec, Of<CountingLine> auto& line) {
  codec.field("name", line.name);
  codec.field("from", line.from);
  codec.field("to", line.to);
  codec.field("forward", line.forward);
  codec.field("backward", line.backward);
}

template <class Codec>
void fields(Codec& codec, Of<CountingZone> auto& zone) {
  codec.field("name", zone.name);
  codec.field("corners", zone.corners);
  codec.field("inside", zone.inside);
  codec.field("entered", zone.entered);
  codec.field("left", zone.left);
}

template <class Codec>
void fields(Codec& codec, Of<Crossing> auto& crossing) {
  codec.field("kind", crossing.kind);
  codec.field("where", crossing.where);
  codec.field("track_id", crossing.track_id);
  codec.field("class_id", crossing.class_id);
  codec.field("at", crossing.at);
  codec.field("dwell", crossing.dwell);
}

template <class Codec>
void fields(Codec& codec, Of<Detections> auto& seen) {
  codec.field("width", seen.width);
  codec.field("height", seen.height);
  codec.field("objects", seen.objects);
  codec.field("masks", seen.masks);
  codec.field("semantic", seen.semantic);
  codec.field("panoptic", seen.panoptic);
  codec.field("segments", seen.segments);
  codec.field("classes", seen.classes);
  codec.field("regions", seen.regions);
  codec.field("lines", seen.lines);
  codec.field("zones", seen.zones);
  codec.field("crossings", seen.crossings);
  codec.field("raw", seen.raw);
}

void require_map(const std::optional<LabelMap>& map, const Detections& seen) {
  if (map)
    require(map->width == seen.width && map->height == seen.height &&
                map->ids.size() == static_cast<size_t>(seen.width) * static_cast<size_t>(seen.height),
            ErrorCode::kFormat, "a map of {}x{} with {} labels in a frame of {}x{}", map->width, map->height,
            map->ids.size(), seen.width, seen.height);
}

void require_consistent(const Detections& seen) {
  constexpr int kMostSide = 1 << 16;
  require(seen.width >= 0 && seen.height >= 0 && seen.width <= kMostSide && seen.height <= kMostSide,
          ErrorCode::kFormat, "a frame of {}x{}", seen.width, seen.height);
  require_map(seen.semantic, seen);
  require_map(seen.panoptic, seen);
  const int size = seen.masks.size;
  require(size >= 0 && size <= kMostSide, ErrorCode::kFormat, "masks of {} a side", size);
  require(
      seen.masks.probs.size() == static_cast<size_t>(size) * static_cast<size_t>(size) * seen.objects.size(),
      ErrorCode::kFormat, "{} probabilities in {} masks of {} a side", seen.masks.probs.size(),
      seen.objects.size(), size);
  for (const Object& object : seen.objects)
    require(object.region >= -1 && object.region < std::ssize(seen.regions), ErrorCode::kFormat,
            "an object of region {} of {}", object.region, seen.regions.size());
  for (const PanopticSegment& segment : seen.segments)
    require(segment.object >= -1 && segment.object < std::ssize(seen.objects), ErrorCode::kFormat,
            "a segment of object {} of {}", segment.object, seen.objects.size());
  for (const Crossing& crossing : seen.crossings) {
    using Kind = Crossing::Kind;
    const bool of_line = crossing.kind == Kind::kForward || crossing.kind == Kind::kBackward;
    require(of_line || crossing.kind == Kind::kEntered || crossing.kind == Kind::kLeft, ErrorCode::kFormat,
            "a crossing of kind {}", static_cast<int>(crossing.kind));
    const size_t places = of_line ? seen.lines.size() : seen.zones.size();
    require(crossing.where >= 0 && static_cast<size_t>(crossing.where) < places, ErrorCode::kFormat,
            "a crossing of {} {} of {}", of_line ? "line" : "zone", crossing.where, places);
  }
}

}  // namespace

std::vector<std::uint8_t> encode(const Detections& detections) {
  Writer writer;
  fields(writer, detections);
  json map = writer.take();
  map["integer_boxes"] = detections.masks.pasting == MaskPasting::kIntegerBoxes;
  if (detections.labels) map["labels"] = *detections.labels;
  return json::to_cbor(map);
}

Detections decode_bytes(std::span<const std::uint8_t> bytes) {
  try {
    const json map = json::from_cbor(bytes.begin(), bytes.end());
    Detections seen;
    Reader reader(map);
    fields(reader, seen);
    if (map.at("integer_boxes").get<bool>()) seen.masks.pasting = MaskPasting::kIntegerBoxes;
    if (map.contains("labels"))
      seen.labels =
          std::make_shared<const std::vector<std::string>>(map["labels"].get<std::vector<std::string>>());
    require_consistent(seen);
    return seen;
  } catch (const json::exception& e) {
    fail(ErrorCode::kFormat, "bytes that are no detections: {}", e.what());
  }
}

}  // namespace caffe2rt
