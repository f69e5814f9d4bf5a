#include "graph/passes/passes.h"

#include "base/error.h"

namespace caffe2rt {
namespace {

// A pass that goes by nothing but the graph.
template <void (*run)(Graph&)>
void plain(Graph& graph, const PassOptions&) {
  run(graph);
}

constexpr Pass kRearranging[] = {
    {"number_regions", plain<number_regions>, /*optional=*/false},
    {"drop_dead_ends", plain<drop_dead_ends>},
    {"drop_identities", plain<drop_identities>},
    {"fold_constants", plain<fold_constants>},
    {"fold_scales", plain<fold_scales>},
    {"fold_affine", plain<fold_affine>},
    {"join_constants", plain<join_constants>},
    {"group_diagonal", plain<group_diagonal>},
    {"join_hard_swish", plain<join_hard_swish>},
    {"join_roi_align", plain<join_roi_align>},
    {"flatten_channels_last", plain<flatten_channels_last>},
    {"pick_masks", pick_masks},
    {"fuse_add", plain<fuse_add>},
    {"fuse_relu", plain<fuse_relu>},
    {"join_siblings", plain<join_siblings>},
};

constexpr Pass kPacking[] = {
    {"pool_later", plain<pool_later>},
    {"use_winograd", use_winograd},
    {"join_pointwise", plain<join_pointwise>},
    {"use_matmul", use_matmul},
    {"use_depthwise", use_depthwise},
    {"fuse_mean", plain<fuse_mean>},
    {"fuse_pool", plain<fuse_pool>},
    {"fuse_upsample", plain<fuse_upsample>},
    {"pack_weights", plain<pack_weights>},
    {"fuse_hard_swish", plain<fuse_hard_swish>},
    {"join_separable", plain<join_separable>},
    {"narrow_activations", narrow_activations},
    {"reuse_residuals", plain<reuse_residuals>},
};

constexpr Pass kGpu[] = {
    {"fuse_hard_swish", plain<fuse_hard_swish>},
    {"use_slots", plain<use_slots>},
};

}  // namespace

std::span<const Pass> gpu_passes() { return kGpu; }
std::span<const Pass> rearranging_passes() { return kRearranging; }
std::span<const Pass> packing_passes() { return kPacking; }

void run_passes(Graph& graph, std::span<const Pass> passes, const PassOptions& options,
                const std::set<std::string>& without) {
  for (const Pass& pass : passes)
    if (!pass.optional || !without.contains(pass.name)) pass.run(graph, options);
}

std::set<std::string> parse_passes(const std::vector<std::string>& names) {
  std::set<std::string> all;
  for (const auto& passes : {rearranging_passes(), packing_passes(), gpu_passes()})
    for (const Pass& pass : passes)
      if (pass.optional) all.insert(pass.name);
  std::string listed = "all";
  for (const auto& name : all) listed += ", " + name;
  std::set<std::string> chosen;
  for (const auto& name : names) {
    if (name == "all") return all;
    require(all.contains(name), ErrorCode::kArgument, "passes: expected {}, got '{}'", listed, name);
    chosen.insert(name);
  }
  return chosen;
}

}  // namespace caffe2rt
