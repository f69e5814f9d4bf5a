#include "frame_regions.h"

#include <sstream>

#include "base/error.h"

namespace caffe2rt::gst {
namespace {

constexpr int kMostTiles = 64;  // a side
constexpr int kLeastSide = 2;   // pixels

// Whole numbers with `separator` between them, and nothing else; empty where there are not `count`.
std::vector<int> numbers(const std::string& text, char separator, size_t count) {
  std::istringstream in(text);
  std::vector<int> values;
  for (int value = 0; in >> value;) {
    values.push_back(value);
    if (in.peek() == separator) in.get();
  }
  return in.eof() && values.size() == count ? values : std::vector<int>();
}

FrameRect read_rect(const std::string& text) {
  const std::vector<int> v = numbers(text, ',', 4);
  require(!v.empty() && v[0] >= 0 && v[1] >= 0 && v[2] >= kLeastSide && v[3] >= kLeastSide,
          ErrorCode::kArgument, "roi: expected x,y,width,height in pixels, at least {} a side, got '{}'",
          kLeastSide, text);
  return {v[0], v[1], v[2], v[3]};
}

}  // namespace

RegionPlan::RegionPlan(const RegionSettings& settings) : settings_(settings) {
  if (!settings.rect.empty()) rect_ = read_rect(settings.rect);
  const std::vector<int> tiles = numbers(settings.tiles, 'x', 2);
  require(
      !tiles.empty() && tiles[0] >= 1 && tiles[1] >= 1 && tiles[0] <= kMostTiles && tiles[1] <= kMostTiles,
      ErrorCode::kArgument, "tiles: expected columns x rows of 1 to {}, as in 2x2, got '{}'", kMostTiles,
      settings.tiles);
  columns_ = tiles[0];
  rows_ = tiles[1];
  require(!settings.of_objects || (!rect_ && columns_ == 1 && rows_ == 1), ErrorCode::kArgument,
          "inference-region=roi looks at regions of objects: expected neither roi nor tiles with it");
}

std::vector<Region> RegionPlan::object_regions(GstBuffer* buffer, const FrameSize& size) const {
  std::vector<Region> regions;
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* roi = reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta);
    const gchar* label = roi->roi_type ? g_quark_to_string(roi->roi_type) : "";
    if (!settings_.object_class.empty() && settings_.object_class != label) continue;
    const auto pixels = [](guint n) { return static_cast<int>(MIN(n, guint{G_MAXINT})); };
    const FrameRect rect =
        fit_to_frame({pixels(roi->x), pixels(roi->y), pixels(roi->w), pixels(roi->h)}, size);
    if (rect.width >= kLeastSide && rect.height >= kLeastSide) regions.push_back({rect, roi->id, {}});
  }
  return regions;
}

std::optional<std::vector<Region>> RegionPlan::regions_of(GstBuffer* buffer, const FrameSize& size) const {
  if (settings_.of_objects) return object_regions(buffer, size);
  if (!rect_ && columns_ == 1 && rows_ == 1) return {};
  std::vector<Region> regions;
  const FrameRect all = fit_to_frame(rect_.value_or(FrameRect{0, 0, size.width, size.height}), size);
  if (all.empty()) return regions;
  for (const FrameRect& one : tile(all, columns_, rows_, settings_.tile_overlap))
    if (const FrameRect rect = fit_to_frame(one, size); rect.width >= kLeastSide && rect.height >= kLeastSide)
      regions.push_back({rect, -1, {}});
  return regions;
}

}  // namespace caffe2rt::gst
