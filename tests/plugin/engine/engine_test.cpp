// The elements with the engine itself, on a net small enough to write down.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gst_test.h"
#include "process.h"

namespace caffe2rt::gst {
namespace {

namespace fs = std::filesystem;

// Which of blue, green and red is brightest: global average pooling, then softmax.
constexpr auto kNet = R"(
name: "brightest"
op { input: "data" output: "pooled" type: "AveragePool" arg { name: "global_pooling" i: 1 } }
op { input: "pooled" output: "prob" type: "Softmax" }
external_input: "data"
external_output: "prob"
)";

// A net without weights still needs an init net that makes something.
constexpr auto kInit = R"(op { output: "one" type: "ConstantFill" arg { name: "shape" ints: 1 } })";

class Engine : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/gst-caffe2-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const char* name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  std::string launch() const { return "caffe2inference min-size=0 model=" + folder_.string(); }

  // The error that the element posts instead of getting READY.
  Errors::Seen failure() const {
    const Owned<GstElement> element(gst_parse_launch(launch().c_str(), nullptr));
    const Errors errors(element.get());
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    return errors.next();
  }

  fs::path folder_;
};

TEST_F(Engine, ClassifiesFramesOfAPipeline) {
  write("model.pbtxt", kNet);
  write("model_init.pbtxt", kInit);
  write("labels.txt", "blue\ngreen\nred\n");
  const std::string caps = video("BGR", 8, 4);
  const Harness h = harness(launch(), caps);
  for (int colour = 0; colour < 3; colour++) {
    Buffer frame = flat_frame(caps, 10);
    for (gsize i = colour; i < gst_buffer_get_size(frame.get()); i += 3)
      gst_buffer_memset(frame.get(), i, 200, 1);
    const Buffer out = push_and_pull(h.get(), std::move(frame));
    ASSERT_TRUE(out);
    const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
    int class_id = -1;
    double score = 0;
    ASSERT_TRUE(gst_caffe2_meta_get_class(meta, 0, &class_id, &score));
    EXPECT_EQ(class_id, colour);
    EXPECT_NEAR(score, 1, 1e-5);
    EXPECT_STREQ(Owned<gchar>(gst_caffe2_meta_dup_label(meta, class_id)).get(),
                 (std::vector<const char*>{"blue", "green", "red"}[colour]));
  }
}

TEST_F(Engine, SaysInOneLineWhatIsWrongWithAModel) {
  EXPECT_EQ(failure().code, GST_RESOURCE_ERROR_NOT_FOUND);  // an empty folder
  write("model.pb", "");
  write("model_init.pb", "");
  EXPECT_EQ(failure().domain, "gst-resource-error-quark");
  write("model.pb", "these are no bytes of a net");
  EXPECT_EQ(failure().code, GST_RESOURCE_ERROR_READ);
  write("model.pb", kNet);  // text where bytes are expected
  const auto error = failure();
  EXPECT_EQ(error.domain, "gst-resource-error-quark");
  EXPECT_EQ(error.text.find('\n'), std::string::npos);
  fs::remove(folder_ / "model.pb");
  fs::remove(folder_ / "model_init.pb");
  write("model_init.pbtxt", kInit);
  write("model.pbtxt", std::string(kNet) + "op { input: \"prob\" output: \"x\" type: \"Foo\" }");
  EXPECT_EQ(failure().code, GST_STREAM_ERROR_NOT_IMPLEMENTED);
}

TEST_F(Engine, AThousandCyclesLeaveNothing) {
  write("model.pbtxt", R"(
    op { input: "data" input: "w" input: "b" output: "conv" type: "Conv" arg { name: "kernel" i: 3 } }
    op { input: "conv" output: "pooled" type: "AveragePool" arg { name: "global_pooling" i: 1 } }
    op { input: "pooled" output: "prob" type: "Softmax" }
    external_input: "data")");
  write("model_init.pbtxt", R"(
    op { output: "w" type: "GaussianFill" arg { name: "shape" ints: 16 ints: 3 ints: 3 ints: 3 } }
    op { output: "b" type: "ConstantFill" arg { name: "shape" ints: 16 } })");
  const Owned<GstElement> pipeline(
      gst_parse_launch(("videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=96,height=64 ! " +
                        launch() + " threads=2 ! caffe2overlay ! fakesink")
                           .c_str(),
                       nullptr));
  expect_no_growth(pipeline.get(), 1000);
}

}  // namespace
}  // namespace caffe2rt::gst
