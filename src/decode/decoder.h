// Decoder: turns the blobs of a run into what was seen, one kind a meta architecture. Results are in pixels
// of the frames that the net's input was made of, as detectron2's detector_postprocess leaves them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "decode/detect_options.h"
#include "decode/detections.h"
#include "frame/image_sizes.h"
#include "graph/graph.h"

namespace caffe2rt {

// Fed where an operator for a GPU reads it: (N,4) float32 on the host, height and width of each input, then
// of each frame.
inline constexpr const char* kImageSizesBlob = "caffe2rt.image_sizes";

// Fed there too: what is asked of the detections, as ops/detection_limits.h has it.
inline constexpr const char* kDetectionLimitsBlob = "caffe2rt.detection_limits";
at::Tensor tensor_of(const DetectOptions& options);

// Immutable; used by threads at once.
class Decoder {
 public:
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // GeneralizedRCNN, RetinaNet, PanopticFPN, SemanticSegmentor, ProposalNetwork, or "" for any other net.
  const std::string& meta_architecture() const { return meta_architecture_; }

  // What decode() reads, and the net's own outputs: for GraphOptions::keep.
  const std::vector<std::string>& blobs_needed() const { return blobs_needed_; }

  // What a GPU can do of decode(): operators to run after the net's. decode() reads their outputs, where they
  // are, in place of large blobs that they were made of.
  const std::vector<OperatorDef>& operators_for_gpu() const { return operators_for_gpu_; }

  // What decode() reads when it is asked for this, of a net that these operators were added to or not.
  std::vector<std::string> blobs_read(Output output, bool with_operators_for_gpu) const;

  // `blobs` hold what blobs_needed() or blobs_read() names; images lie in the batch's order. Throws Error:
  // kNotFound for a missing blob, kShape for one that does not fit.
  std::vector<Detections> decode(const Blobs& blobs, std::span<const ImageSizes> images,
                                 const DetectOptions& options = {}) const;

 protected:
  explicit Decoder(std::string meta_architecture, const NetDef& net);

  // Fills in what the decoder knows of its architecture; sizes are set.
  virtual void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
                    std::vector<Detections>& results) const = 0;

  // Which rows of a blob that has one a detection are of which image: empty, or images + 1 offsets.
  virtual std::vector<std::int64_t> detection_offsets(const Blobs& blobs, size_t images) const;

  // `least`: the output for which it is read, and for those after it.
  void need(const std::string& blob, Output least = Output::kBoxes);

  // `in_place_of`: blobs that are not read where the operator's outputs are. `least`: as of need().
  void add_operator_for_gpu(OperatorDef op, const std::vector<std::string>& in_place_of,
                            Output least = Output::kBoxes);

 private:
  void add_raw(const Blobs& blobs, std::vector<Detections>& results) const;

  std::string meta_architecture_;
  std::vector<std::string> outputs_;  // the net's own
  std::vector<std::string> blobs_needed_;
  std::map<std::string, Output> least_output_;  // of those that fill() reads
  std::vector<OperatorDef> operators_for_gpu_;
  std::set<std::string> replaced_on_gpu_;
};

// The decoder for a net, by its argument `meta_architecture` or the names of its outputs. Throws Error:
// kArgument and kFormat for arguments of the net that make no sense.
std::unique_ptr<Decoder> make_decoder(const NetDef& net);

}  // namespace caffe2rt
