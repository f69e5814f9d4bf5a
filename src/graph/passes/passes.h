// Passes: rewrites of a graph that leave its outputs as they are. One file a pass.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/precision.h"
#include "graph/tuning.h"

namespace caffe2rt {

// What passes go by beside the graph.
struct PassOptions {
  Precision precision = Precision::kFloat32;
  const Calibration* calibration = nullptr;  // for kInt8
  bool only_predicted_masks = false;         // no other class's masks are wanted
  Tuning tuning;                             // of convolutions
};

struct Pass {
  const char* name;
  void (*run)(Graph&, const PassOptions&);
  bool optional = true;  // batches need some
};

// All passes in their order: those that only rearrange the net, and those for the CPU, which pack weights,
// after which constants may be in layouts that only their operator reads.
std::span<const Pass> rearranging_passes();
std::span<const Pass> packing_passes();
// Those for a GPU, in the place of the latter.
std::span<const Pass> gpu_passes();

// Runs passes but those that are named. With every blob among the outputs nothing is dropped or joined.
void run_passes(Graph& graph, std::span<const Pass> passes, const PassOptions& options = {},
                const std::set<std::string>& without = {});

// The set of these names of optional passes, or of all of them where one is "all". Throws Error(kArgument)
// that lists the names for one that is none.
std::set<std::string> parse_passes(const std::vector<std::string>& names);

// Gives boxes that go from BoxWithNMSLimit to a second RoIAlign the number of their image, so that batches
// work.
void number_regions(Graph& graph);

// Removes nodes that no output depends on.
void drop_dead_ends(Graph& graph);

// Removes copies.
void drop_identities(Graph& graph);

// Folds what scales and shifts channels into the Conv beside it.
void fold_constants(Graph& graph);
void fold_scales(Graph& graph);
void fold_affine(Graph& graph);

// Keeps constants that are equal once.
void join_constants(Graph& graph);

// Gives each channel of a ConvTranspose that mixes none a group of its own.
void group_diagonal(Graph& graph);

// Joins a HardSigmoid to the Mul that gates its input with it.
void join_hard_swish(Graph& graph);

// Joins RoIAlign on the levels of a pyramid, and what puts its results into order.
void join_roi_align(Graph& graph);

// Lets an FC read pooled regions as they lie in memory.
void flatten_channels_last(Graph& graph);

// Joins a sum of two to the Conv before it.
void fuse_add(Graph& graph);

// Computes of each region's mask only that of the predicted class, where that is wanted.
void pick_masks(Graph& graph, const PassOptions& options);

// Joins a Relu to the Conv, FC or GroupNorm before it.
void fuse_relu(Graph& graph);

// Joins convolutions of single pixels, few filters and the same input.
void join_siblings(Graph& graph);

// Lets regions be pooled after the convolution of single pixels that reads them instead of before.
void pool_later(Graph& graph);

// Computes 3x3 convolutions of stride 1 in Winograd's way, whose rounding differs from the others' by some
// 1e-5 of the values.
void use_winograd(Graph& graph, const PassOptions& options = {});

// Joins such a convolution to the one of single pixels and few filters that alone reads its result.
void join_pointwise(Graph& graph);

// Computes the other convolutions without groups, and FCs, as products of matrices.
void use_matmul(Graph& graph, const PassOptions& options = {});

// Computes depthwise convolutions by their own kernel.
void use_depthwise(Graph& graph, const PassOptions& options = {});

// Lets the first convolution take the mean off the pixels while it reads them.
void fuse_mean(Graph& graph);

// Lets the first convolution pool its results while it computes them.
void fuse_pool(Graph& graph);

// Lets a product of matrices read its residual before that is scaled up.
void fuse_upsample(Graph& graph);

// Lays the weights of the rest out as oneDNN wants them.
void pack_weights(Graph& graph);

// Joins a HardSwish to the convolution before it.
void fuse_hard_swish(Graph& graph);

// Gives each image a fixed number of regions and detections, so that a GPU need not be asked how many there
// are.
void use_slots(Graph& graph);

// Lets layers in low precision hand each other numbers of as few bits as they multiply.
void narrow_activations(Graph& graph, const PassOptions& options);

// Lets a layer write where its residual lies, if nothing reads that any more.
void reuse_residuals(Graph& graph);

// Joins a depthwise convolution to the 1x1 convolution that alone reads its result.
void join_separable(Graph& graph);

}  // namespace caffe2rt
