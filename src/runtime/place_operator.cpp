#include "runtime/place_operator.h"

#include "base/error.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt {
namespace {

bool is_low_precision(const at::Tensor& t) { return c10::isReducedFloatingType(t.scalar_type()); }

// Types that only move numbers, or whose results are as good as their inputs: in low precision they stay in
// it. All others compute in float32.
bool keeps_precision(const std::string& type) {
  static const std::set<std::string> types = {
      "Add",          "Sum",           "Max",      "MaxPool",         "AveragePool", "Concat",
      "Split",        "Reshape",       "Flatten",  "FlattenToVec",    "Squeeze",     "ExpandDims",
      "Slice",        "Transpose",     "Copy",     "Alias",           "NCHW2NHWC",   "NHWC2NCHW",
      "StopGradient", "AliasWithName", "PadImage", "BatchPermutation"};
  return types.contains(type);
}

// Whether ATen does all of an operator's work on the device: not where the host reads a shape or writes one.
bool stays_on_device(const OperatorDef& def) {
  if (def.type == "Reshape") return def.inputs.size() == 1 && def.outputs.size() == 1;
  if (def.type == "BatchPermutation") return false;  // indices are checked
  if (def.type == "PadImage") {
    const Argument* mode = def.find("mode");
    return !mode || mode->s == "constant";  // others take pixels by a list
  }
  if (def.type == "Slice" || def.type == "Split" || def.type == "UpsampleBilinear")
    return def.inputs.size() == 1;
  if (def.type == "Concat" || def.type == "Dropout") return def.outputs.size() == 1;
  return true;
}

// An input list of tensors that a run makes itself.
class OwnInputs {
 public:
  explicit OwnInputs(const Inputs& in) : tensors_(in.size()) {}
  at::Tensor& operator[](size_t i) { return tensors_[i]; }

  void run(const Operator& op, const Schema& schema, Outputs& out) {
    std::vector<const at::Tensor*> pointers;
    for (const at::Tensor& t : tensors_) pointers.push_back(&t);
    op.run(Inputs(schema, pointers), out);
  }

 private:
  std::vector<at::Tensor> tensors_;
};

void move_to(c10::Device device, Outputs& out) {
  for (at::Tensor& t : out)
    if (t.defined() && t.device() != device) t = t.to(device);
}

// The CPU's operator, its inputs brought to the host and its outputs back.
class HostOperator final : public Operator {
 public:
  HostOperator(const Schema& schema, const Operator& op, c10::Device device)
      : schema_(schema), op_(op), device_(device) {}
  HostOperator(const Schema& schema, std::unique_ptr<Operator> op, c10::Device device)
      : schema_(schema), owned_(std::move(op)), op_(*owned_), device_(device) {}

  void run(const Inputs& in, Outputs& out) const override {
    OwnInputs on_host(in);
    for (size_t i = 0; i < in.size(); i++) on_host[i] = to_host(in[i]);
    on_host.run(op_, schema_, out);
    move_to(device_, out);
  }

 private:
  const Schema& schema_;
  const std::unique_ptr<Operator> owned_;
  const Operator& op_;
  const c10::Device device_;
};

// The CPU's operator on the device's tensors.
class AtenOperator final : public Operator {
 public:
  AtenOperator(const Schema& schema, const OperatorArgs& args)
      : schema_(schema),
        op_(schema.make(args)),
        device_(args.device()),
        widens_(!keeps_precision(schema.type)),
        can_be_recorded_(stays_on_device(args.def())) {}

  bool can_be_recorded() const override { return can_be_recorded_; }

  void run(const Inputs& in, Outputs& out) const override {
    OwnInputs inputs(in);
    bool low = false, full = false;
    for (size_t i = 0; i < in.size(); i++) {
      low = low || is_low_precision(in[i]);
      full = full || in[i].scalar_type() == at::kFloat;
      inputs[i] = in[i];
    }
    if (low && (full || widens_))
      for (size_t i = 0; i < in.size(); i++)
        if (is_low_precision(in[i])) inputs[i] = in[i].to(at::kFloat);
    inputs.run(*op_, schema_, out);
    move_to(device_, out);
  }

 private:
  const Schema& schema_;
  const std::unique_ptr<Operator> op_;
  const c10::Device device_;
  const bool widens_, can_be_recorded_;
};

}  // namespace

at::Tensor to_host(const at::Tensor& tensor) {
  const at::Tensor here = tensor.is_cpu() ? tensor : tensor.to(at::kCPU);
  return is_low_precision(here) ? here.to(at::kFloat) : here;
}

std::unique_ptr<Operator> make_host_operator(const OperatorArgs& args) {
  const Schema& schema = *find_schema(args.def().type);
  return std::make_unique<HostOperator>(schema, schema.make(OperatorArgs(args.def(), c10::DeviceType::CPU)),
                                        args.device());
}

PlacedOperator place_operator(const Schema& schema, const Operator& op, const OperatorArgs& args,
                              const std::set<std::string>& on_host) {
  const bool kept = on_host.contains(schema.type) || on_host.contains("all");
  if (!kept)
    if (const Schema::Make* make = find_cuda_operator(schema.type))
      if (auto made = (*make)(args)) return {std::move(made), false};
  if (!kept && schema.any_device) return {std::make_unique<AtenOperator>(schema, args), false};
  return {std::make_unique<HostOperator>(schema, op, args.device()), true};
}

}  // namespace caffe2rt
