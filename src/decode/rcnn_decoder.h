// RcnnDecoder: boxes, masks and keypoints of the R-CNN family. PanopticFPN adds to it.
#pragma once

#include <string>
#include <vector>

#include "decode/decoder.h"

namespace caffe2rt {

class RcnnDecoder : public Decoder {
 public:
  explicit RcnnDecoder(const NetDef& net) : RcnnDecoder("GeneralizedRCNN", net) {}

 protected:
  RcnnDecoder(const std::string& meta_architecture, const NetDef& net);

  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override;

  // The same; says of which row of the blobs each object is, image by image.
  std::vector<std::vector<std::int64_t>> fill_objects(const Blobs& blobs, std::span<const ImageSizes> images,
                                                      const DetectOptions& options,
                                                      std::vector<Detections>& results) const;

  std::vector<std::int64_t> detection_offsets(const Blobs& blobs, size_t images) const override;

  bool has_masks() const { return has_masks_; }
  MaskPasting pasting() const { return pasting_; }
  int background() const { return background_; }  // 1 where class 0 in the file is the background
  const std::string& splits_blob() const {
    return splits_blob_;
  }  // detections by image, (N) float32; may be empty

 private:
  struct Heads;   // the blobs of a run
  struct Picked;  // an object and the row it came from

  Heads read_heads(const Blobs& blobs, const DetectOptions& options) const;
  std::vector<Picked> pick_objects(const Heads& heads, std::int64_t begin, std::int64_t end,
                                   const ImageSizes& sizes, const DetectOptions& options) const;

  bool has_masks_ = false, has_heat_maps_ = false, has_keypoints_ = false;
  MaskPasting pasting_ = MaskPasting::kSubpixel;
  int background_ = 0;
  std::string splits_blob_;
};

}  // namespace caffe2rt
