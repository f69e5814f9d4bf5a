// caffe2rt._runtime: the engine for Python. Arrays go in and out by DLPack, without copies; the interpreter's
// lock is released while a net runs. The package's model.py is what programs use.
#include <ATen/DLConvertor.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "decode/decoder.h"
#include "decode/predictions.h"
#include "ops/semantic_labels.h"
#include "runtime/compiled_net.h"
#include "runtime/translate_exceptions.h"

namespace py = pybind11;

namespace caffe2rt {
namespace {

constexpr auto kCapsule = "dltensor";

// An array on its way out: numpy.from_dlpack and its like take it.
struct Array {
  at::Tensor tensor;

  py::capsule dlpack() const {
    // numpy's DLPack knows no truth values: they go as bytes, and `is_bool` says so.
    const at::Tensor numbers = is_bool() ? tensor.view(at::kByte) : tensor;
    return py::capsule(at::toDLPack(numbers), kCapsule, [](PyObject* capsule) {
      if (!PyCapsule_IsValid(capsule, kCapsule)) return;  // taken
      auto* unused = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, kCapsule));
      unused->deleter(unused);
    });
  }
  bool is_bool() const { return tensor.scalar_type() == at::kBool; }
};

at::Tensor from_dlpack(const std::string& name, const py::handle& array) {
  require(py::hasattr(array, "__dlpack__"), ErrorCode::kArgument, "'{}': expected an array with __dlpack__",
          name);
  const py::object capsule = array.attr("__dlpack__")();
  void* managed = PyCapsule_GetPointer(capsule.ptr(), kCapsule);
  if (!managed) throw py::error_already_set();
  at::Tensor tensor = at::fromDLPack(static_cast<DLManagedTensor*>(managed));
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  require(tensor.is_cpu(), ErrorCode::kDevice, "'{}': expected an array in host memory", name);
  return tensor.scalar_type() == at::kByte || tensor.scalar_type() == at::kDouble ? tensor.to(at::kFloat)
                                                                                  : tensor;
}

py::dict to_python(const NamedTensors& tensors) {
  py::dict arrays;
  for (const auto& [name, tensor] : tensors) arrays[py::str(name)] = Array{tensor};
  return arrays;
}

py::dict to_python(const PanopticSegment& s) {
  using namespace py::literals;
  py::dict segment("id"_a = s.id, "isthing"_a = s.is_thing, "category_id"_a = s.category_id);
  if (s.is_thing) {
    segment["score"] = s.score;
    segment["instance_id"] = s.object;
  } else {
    segment["area"] = s.area;
  }
  return segment;
}

class Runtime {
 public:
  Runtime(const std::string& predict_net, const std::string& init_net, const std::vector<std::string>& keep,
          int threads, const std::string& device, const std::string& precision)
      : threads_(threads > 0 ? threads : at::intraop_default_num_threads()) {
    const py::gil_scoped_release unlocked;
    translating_exceptions([&] {
      CompileOptions options{.device = parse_device(device), .precision = parse_precision(precision)};
      options.calibration = calibration_for(options.precision, predict_net);
      const NetDef net = read_net(predict_net);
      if (options.device.is_cpu())
        options.tuning = read_tuning(TuningKey{predict_net, options.precision, threads_}.file());
      decoder_ = make_decoder(net);
      options.graph.keep = decoder_->blobs_needed();
      options.graph.keep.insert(options.graph.keep.end(), keep.begin(), keep.end());
      Blobs weights = read_weights(init_net);
      net_ = CompiledNet::compile(net, std::move(weights), options);
    });
  }

  std::vector<std::string> inputs() const { return net_.input_names(); }
  std::vector<std::string> outputs() const { return net_.output_names(); }
  std::string meta_architecture() const { return decoder_->meta_architecture(); }

  py::dict run(const py::dict& feeds) const {
    const Blobs results = run_net(feeds);
    return to_python({results.begin(), results.end()});
  }

  // sizes: height and width of each image in `data` without padding, then of its frame. One dict an image:
  // arrays by detectron2's names, and the panoptic map's `segments`.
  py::list predict(const py::dict& feeds, const std::vector<std::array<int, 4>>& sizes) const {
    const Blobs blobs = run_net(feeds);
    std::vector<ImageSizes> images;
    images.reserve(sizes.size());
    for (const auto& s : sizes) images.push_back({{s[0], s[1]}, {s[2], s[3]}});
    py::list results;
    for (const auto& [arrays, segments] : decode(blobs, images)) {
      py::dict result = to_python(arrays);
      py::list list;
      for (const PanopticSegment& segment : segments) list.append(to_python(segment));
      result["segments"] = list;
      results.append(result);
    }
    return results;
  }

 private:
  Blobs run_net(const py::dict& feeds) const {
    Blobs tensors;
    for (const auto& [name, array] : feeds) {
      const auto key = name.cast<std::string>();
      tensors[key] = from_dlpack(key, array);
    }
    const py::gil_scoped_release unlocked;
    at::set_num_threads(threads_);  // of this thread, whatever another model left there
    Workspace workspace;
    return net_.run(tensors, workspace);
  }

  using Seen = std::pair<NamedTensors, std::vector<PanopticSegment>>;

  std::vector<Seen> decode(const Blobs& blobs, const std::vector<ImageSizes>& images) const {
    const py::gil_scoped_release unlocked;
    return translating_exceptions([&] {
      const c10::InferenceMode no_gradients;
      std::vector<Seen> results;
      for (const Detections& seen : decoder_->decode(blobs, images))
        results.emplace_back(predictions(seen), seen.segments);
      if (const auto logits = blobs.find("sem_seg"); logits != blobs.end())
        for (size_t i = 0; i < images.size(); i++)
          results[i].first["sem_seg"] =
              semantic_scores(logits->second.select(0, static_cast<std::int64_t>(i)), images[i]);
      return results;
    });
  }

  const int threads_;
  std::unique_ptr<Decoder> decoder_;
  CompiledNet net_;
};

}  // namespace
}  // namespace caffe2rt

PYBIND11_MODULE(_runtime, module) {
  using caffe2rt::Array;
  using caffe2rt::Runtime;
  using namespace py::literals;
  module.doc() = "The engine of caffe2rt: see caffe2rt.Caffe2Model.";
  py::register_exception<caffe2rt::Error>(module, "Error", PyExc_RuntimeError);
  py::class_<Array>(module, "Array",
                    "What a net computed; numpy.from_dlpack and torch.from_dlpack take it without a copy.")
      .def("__dlpack__", [](const Array& array, const py::kwargs&) { return array.dlpack(); })
      .def("__dlpack_device__", [](const Array&) { return py::make_tuple(1, 0); })  // kDLCPU
      .def_property_readonly("is_bool", &Array::is_bool);
  py::class_<Runtime>(module, "Runtime", "A compiled net with the decoder of its meta architecture.")
      .def(py::init<const std::string&, const std::string&, const std::vector<std::string>&, int,
                    const std::string&, const std::string&>(),
           "predict_net"_a, "init_net"_a, "keep"_a = std::vector<std::string>(), "threads"_a = 0,
           "device"_a = "cpu", "precision"_a = "auto")
      .def_property_readonly("inputs", &Runtime::inputs)
      .def_property_readonly("outputs", &Runtime::outputs)
      .def_property_readonly("meta_architecture", &Runtime::meta_architecture)
      .def("run", &Runtime::run, "feeds"_a, "Feeds arrays by blob and returns every output.")
      .def("predict", &Runtime::predict, "feeds"_a, "sizes"_a, "The same, as predictions of each image.");
}
