#include "model/model.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "model/count_classes.h"
#include "model/labels.h"
#include "runtime/compiled_net.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

// A directory of its own for a test, gone at its end.
class ModelTest : public testing::Test {
 protected:
  ModelTest()
      : directory_(fs::temp_directory_path() / fmt::format("caffe2rt_model_{}_{}", getpid(), test_name())) {
    fs::create_directories(directory_);
  }
  ~ModelTest() override { fs::remove_all(directory_); }

  static std::string test_name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }

  // The mean colour, scored by the blue, green and red of it.
  void write_classifier(const std::string& weight = "0.1 0 0 0 0.1 0 0 0 0.1") const {
    std::string values;
    std::istringstream numbers(weight);
    for (std::string number; numbers >> number;) values += " floats: " + number;
    write(directory_ / "predict_net.pbtxt", R"(
        name: "colours" external_input: "data" external_input: "w" external_input: "b"
        op { type: "AveragePool" input: "data" output: "mean" arg { name: "global_pooling" i: 1 } }
        op { type: "FC" input: "mean" input: "w" input: "b" output: "score" }
        op { type: "Softmax" input: "score" output: "prob" }
        external_output: "prob" )" + net_args_);
    write(directory_ / "init_net.pbtxt", R"(
        op { type: "GivenTensorFill" output: "w" arg { name: "shape" ints: 3 ints: 3 } arg { name: "values")" +
                                             values + R"( } }
        op { type: "GivenTensorFill" output: "b" arg { name: "shape" ints: 3 } arg { name: "values" floats: 0 floats: 0 floats: 0 } })");
  }

  ModelOptions options() const {
    ModelOptions options;
    find_model_files(directory_.string(), options);
    options.min_size = 8;
    options.threads = 1;
    return options;
  }

  const fs::path directory_;
  std::string net_args_;  // appended to the predict net
};

// A frame of 6x4 pixels of one colour.
struct Frame {
  explicit Frame(std::array<std::uint8_t, 3> bgr) {
    for (size_t i = 0; i < pixels.size(); i++) pixels[i] = bgr[i % 3];
  }
  FrameView view() const { return {PixelFormat::kBgr, 6, 4, 18, pixels.data()}; }
  std::array<std::uint8_t, 72> pixels;
};

TEST_F(ModelTest, LooksAtFrames) {
  write_classifier();
  const auto model = load_model(options());
  const Frame green({0, 200, 0}), red({0, 0, 100});
  const std::vector<FrameView> frames = {green.view(), red.view()};
  const auto seen = model->detect(frames, model->defaults());
  ASSERT_EQ(seen.size(), 2);
  EXPECT_EQ(seen[0]->width, 6);
  EXPECT_EQ(seen[0]->classes.at(0).class_id, 1);
  EXPECT_EQ(seen[1]->classes.at(0).class_id, 2);
  EXPECT_NEAR(seen[1]->classes[0].score, 1, 1e-3);
  EXPECT_TRUE(model->detect({}, model->defaults()).empty());
}

TEST_F(ModelTest, TakesWhatTheNetSaysOverTheDefaultsAndOptionsOverThat) {
  write_classifier();
  ModelOptions silent = options();
  silent.min_size = -1;
  EXPECT_EQ(load_model(silent)->info().min_size, 800);
  EXPECT_EQ(load_model(silent)->info().max_size, 1333);
  EXPECT_EQ(load_model(silent)->info().input_format, "BGR");

  net_args_ = R"(arg { name: "min_size_test" i: 320 } arg { name: "max_size_test" i: 640 }
                 arg { name: "input_format" s: "RGB" } arg { name: "size_divisibility" i: 32 })";
  write_classifier();
  const auto by_net = load_model(silent);
  EXPECT_EQ(by_net->info().min_size, 320);
  EXPECT_EQ(by_net->info().max_size, 640);
  EXPECT_EQ(by_net->info().size_divisibility, 32);
  EXPECT_EQ(by_net->info().input_format, "RGB");

  ModelOptions chosen = options();
  chosen.input_format = "BGR";
  EXPECT_EQ(load_model(chosen)->info().min_size, 8);
  EXPECT_EQ(load_model(chosen)->info().input_format, "BGR");
}

TEST_F(ModelTest, ResizesAndPadsAsTheNetSays) {
  // One frame's mean colour, blue over green over red, where a part of the input is padding.
  net_args_ =
      R"(arg { name: "size_divisibility" i: 16 } arg { name: "padding_value" floats: 0 floats: 0 floats: 255 }
                 arg { name: "resize_mode" s: "bilinear" })";
  write_classifier();
  const Frame green({0, 200, 0});
  const FrameView view = green.view();
  const auto model = load_model(options());  // 8x12 of 16x16 pixels are green
  EXPECT_EQ(model->detect({&view, 1}, model->defaults()).at(0)->classes.at(0).class_id, 2);
  net_args_ = R"(arg { name: "size_divisibility" i: 16 })";
  write_classifier();
  const auto plain = load_model(options());
  EXPECT_EQ(plain->detect({&view, 1}, plain->defaults()).at(0)->classes.at(0).class_id, 1);
  net_args_ = R"(arg { name: "resize_mode" s: "cubic" })";
  write_classifier();
  EXPECT_ERROR(load_model(options()), ErrorCode::kArgument, "expected antialiased or bilinear, got 'cubic'");
}

TEST_F(ModelTest, ThreadsMayShareIt) {
  write_classifier();
  const auto model = load_model(options());
  const auto look = [&](std::array<std::uint8_t, 3> colour, int expected) {
    const Frame frame(colour);
    const FrameView view = frame.view();
    for (int i = 0; i < 50; i++)
      EXPECT_EQ(model->detect({&view, 1}, model->defaults()).at(0)->classes.at(0).class_id, expected);
  };
  std::thread other(look, std::array<std::uint8_t, 3>{90, 0, 0}, 0);
  look({0, 0, 90}, 2);
  other.join();
}

TEST_F(ModelTest, NamesClassesByTheFileBesideIt) {
  write_classifier();
  EXPECT_EQ(load_model(options())->info().labels, nullptr);
  write(directory_ / "labels.txt", "blue\r\ngreen \nred\n\n");
  const auto model = load_model(options());
  const Frame red({0, 0, 100});
  const FrameView view = red.view();
  EXPECT_EQ(model->detect({&view, 1}, model->defaults()).at(0)->label(1), "green");
}

TEST_F(ModelTest, TakesThresholdsOfClassesFromTheFileToo) {
  write_classifier();
  write(directory_ / "labels.txt", "blue\t0.25\ngreen \t1\r\nred\n");
  const auto model = load_model(options());
  EXPECT_EQ(*model->info().labels, (std::vector<std::string>{"blue", "green", "red"}));
  EXPECT_EQ(model->defaults().class_thresholds, (std::vector<float>{0.25F, 1, -1}));
  for (const char* bad : {"blue\tmuch", "blue\t1.5", "blue\t0.5 0.6", "blue\tnan"}) {
    write(directory_ / "labels.txt", std::string(bad) + "\ngreen\nred\n");
    EXPECT_ERROR(load_model(options()), ErrorCode::kFormat,
                 "labels file: expected a threshold of 0 to 1 behind the tab in line 1");
  }
}

TEST_F(ModelTest, RefusesALabelsFileThatIsTooShortOrMissing) {
  write_classifier();
  ModelOptions chosen = options();
  chosen.labels_file = (directory_ / "names").string();
  EXPECT_ERROR(load_model(chosen), ErrorCode::kNotFound, "names: expected a labels file");
  write(directory_ / "names", "blue\ngreen\n");
  EXPECT_ERROR(load_model(chosen), ErrorCode::kArgument,
               "expected 3 names, one for each class of the net, got 2");
  write(directory_ / "names", std::string("\0\1\2", 3));
  EXPECT_ERROR(load_model(chosen), ErrorCode::kFormat, "expected UTF-8 text, one name a line; line 1 is not");
  write(directory_ / "names", "blau\ngr\xfcn\nrot\n");  // Latin-1
  EXPECT_ERROR(load_model(chosen), ErrorCode::kFormat, "line 2 is not");
}

// A net that takes images of 1 or 4 channels as LeNet does: what it makes of a 28x28 image has a fixed number
// of elements.
void write_fixed_net(const fs::path& directory, int channels, const std::string& place = "") {
  const auto filled = [](const char* output, const std::string& shape, float value) {
    return fmt::format(R"(op {{ type: "ConstantFill" output: "{}" arg {{ name: "shape" {} }}
                            arg {{ name: "value" f: {} }} }} )",
                       output, shape, value);
  };
  write(directory / "predict_net.pbtxt", R"(
      external_input: "data"
      op { type: "Conv" input: "data" input: "cw" output: "c" arg { name: "kernel" i: 28 } }
      op { type: "FC" input: "c" input: "w" input: "b" output: "prob" } external_output: "prob")");
  write(directory / "init_net.pbtxt",
        filled("cw", fmt::format("ints: 2 ints: {} ints: 28 ints: 28", channels), 1.0F / 784) +
            filled("w", "ints: 3 ints: 2", 1) + filled("b", "ints: 3", 0) +
            (place.empty() ? "" : filled("data", place, 0)));
}

TEST_F(ModelTest, GivesANetOfOneChannelTheLumaOfAFrame) {
  write_fixed_net(directory_, 1, "ints: 1 ints: 1 ints: 28 ints: 28");
  ModelOptions options;
  find_model_files(directory_.string(), options);
  const auto model = load_model(options);
  EXPECT_EQ(model->info().channels, 1);
  EXPECT_EQ(model->info().fixed_size, (FrameSize{28, 28}));
  const Frame blue({255, 0, 0});
  const FrameView view = blue.view();
  const auto seen = model->detect({&view, 1}, model->defaults()).at(0);
  EXPECT_NEAR(seen->raw.at(0).values.at(0), 2 * 29, 1e-3);  // 255 * 0.114
}

TEST_F(ModelTest, FindsChannelsAndSizeByTheWeightsWhereTheInitNetHoldsNoPlaceForTheImage) {
  write_fixed_net(directory_, 1);
  ModelOptions options;
  find_model_files(directory_.string(), options);
  const auto model = load_model(options);
  EXPECT_EQ(model->info().channels, 1);
  EXPECT_EQ(model->info().fixed_size, (FrameSize{28, 28}));
  const std::vector<std::uint8_t> pixels(50 * 40, 3);
  const FrameView view{PixelFormat::kGray, 50, 40, 50, pixels.data()};
  EXPECT_NEAR(model->detect({&view, 1}, model->defaults()).at(0)->raw.at(0).values.at(2), 6, 1e-3);
}

TEST_F(ModelTest, OfSizesThatPoolingRoundsToTheSamePrefersMultiplesOf32) {
  write_fixed_net(directory_, 3);
  write(directory_ / "predict_net.pbtxt", R"(
      external_input: "data"
      op { type: "MaxPool" input: "data" output: "p" arg { name: "kernel" i: 3 } arg { name: "stride" i: 2 } }
      op { type: "FC" input: "p" input: "w" input: "b" output: "prob" } external_output: "prob")");
  write(directory_ / "init_net.pbtxt", R"(
      op { type: "ConstantFill" output: "w" arg { name: "shape" ints: 2 ints: 675 } }
      op { type: "ConstantFill" output: "b" arg { name: "shape" ints: 2 } })");
  ModelOptions options;
  find_model_files(directory_.string(), options);
  EXPECT_EQ(load_model(options)->info().fixed_size, (FrameSize{32, 32}));  // 31 would do, too
}

TEST_F(ModelTest, NetsThatTakeAnySizeHaveNone) {
  write_classifier();
  EXPECT_EQ(load_model(options())->info().fixed_size, std::nullopt);
}

TEST_F(ModelTest, RefusesANetWhoseInputIsNoImage) {
  write_fixed_net(directory_, 4);
  ModelOptions options;
  find_model_files(directory_.string(), options);
  EXPECT_ERROR(load_model(options), ErrorCode::kShape, "operator 0 'Conv' (output 'c'): input 1 'filter'");
  write_fixed_net(directory_, 4, "ints: 1 ints: 4 ints: 28 ints: 28");
  EXPECT_ERROR(load_model(options), ErrorCode::kShape,
               "input 'data': expected images of 1 or 3 channels, got (1,4,28,28)");
}

TEST_F(ModelTest, RefusesWeightsThatAreNoNumbers) {
  write_classifier("0 0 0 0 nan 0 0 0 0");
  EXPECT_ERROR(load_model(options()), ErrorCode::kFormat, "weight 'w': expected finite numbers, got 1 of 9");
}

TEST_F(ModelTest, NamesInputsThatHaveNoWeights) {
  write_classifier();
  write(directory_ / "init_net.pbtxt",
        R"(op { type: "GivenTensorFill" output: "w" arg { name: "shape" ints: 3 ints: 3 }
                arg { name: "values" floats: 0 floats: 0 floats: 0 floats: 0 floats: 0 floats: 0 floats: 0 floats: 0 floats: 0 } })");
  EXPECT_ERROR(load_model(options()), ErrorCode::kGraph,
               "expected 'data' and 'im_info' as the only inputs without weights, got b");
}

TEST_F(ModelTest, RefusesOptionsOutOfRange) {
  write_classifier();
  const auto refused = [&](auto&& change, ErrorCode code, const std::string& text) {
    ModelOptions changed = options();
    change(changed);
    return throws_error([&] { load_model(changed); }, code, text);
  };
  EXPECT_TRUE(refused([](auto& o) { o.input_format = "YUV"; }, ErrorCode::kArgument,
                      "expected BGR or RGB, got 'YUV'"));
  EXPECT_TRUE(refused([](auto& o) { o.min_size = 100'000; }, ErrorCode::kArgument,
                      "min_size_test: expected 0 to 32768"));
  EXPECT_TRUE(
      refused([](auto& o) { o.max_size = 0; }, ErrorCode::kArgument, "max size: expected at least 1"));
  EXPECT_TRUE(refused([](auto& o) { o.device = "abacus"; }, ErrorCode::kArgument, "abacus"));
  EXPECT_TRUE(refused([](auto& o) { o.predict_net = "/nowhere.pb"; }, ErrorCode::kNotFound, "/nowhere.pb"));
  EXPECT_TRUE(refused([](auto& o) { std::swap(o.predict_net, o.init_net); }, ErrorCode::kGraph, "swapped"));
}

TEST_F(ModelTest, RefusesADeviceThatIsNamedTwice) {
  write_classifier();
  ModelOptions twice = options();
  twice.device = "cpu,cpu";
  EXPECT_ERROR(load_model(twice), ErrorCode::kArgument, "device: expected each one once, got 'cpu,cpu'");
  twice.device = "cpu,tpu";
  EXPECT_ERROR(load_model(twice), ErrorCode::kArgument, "got 'tpu'");
}

TEST_F(ModelTest, RefusesAFrameWithoutPixels) {
  write_classifier();
  const auto model = load_model(options());
  const FrameView nothing;
  EXPECT_ERROR(model->detect({&nothing, 1}, model->defaults()), ErrorCode::kArgument,
               "expected at least one pixel, got 0x0");
}

TEST_F(ModelTest, AProgramThatStartsFastFindsTheFactory) {
  write_classifier();
  const auto load = reinterpret_cast<LoadModel>(dlsym(RTLD_DEFAULT, kLoadModelSymbol));
  ASSERT_NE(load, nullptr);
  const std::unique_ptr<Model> model(load(options()));
  EXPECT_EQ(model->info().name, "colours");
}

TEST(CountClasses, ReadsTheLayerThatScoresBoxes) {
  const Blobs weights = {{"w", at::Tensor(tensor({81, 1}, std::vector<float>(81)))}};
  NetDef net;
  net.ops.push_back({.type = "FC", .inputs = {"x", "w", "b"}, .outputs = {"cls_score"}});
  net.ops.push_back({.type = "Softmax", .inputs = {"cls_score"}, .outputs = {"cls_prob"}});
  net.ops.push_back({.type = "BoxWithNMSLimit", .inputs = {"cls_prob", "boxes"}, .outputs = {"score_nms"}});
  EXPECT_EQ(count_classes(net, weights), 80);
  EXPECT_EQ(count_classes(net, {}), std::nullopt);
}

TEST(CountClasses, DividesARetinaNetsChannelsByItsAnchors) {
  const Blobs weights = {{"wc", tensor({45, 1, 1, 1}, std::vector<float>(45))},
                         {"wd", tensor({36, 1, 1, 1}, std::vector<float>(36))}};
  NetDef net;
  net.ops.push_back({.type = "Conv", .inputs = {"x", "wc"}, .outputs = {"box_cls_0"}});
  net.ops.push_back({.type = "Conv", .inputs = {"x", "wd"}, .outputs = {"box_delta_0"}});
  EXPECT_EQ(count_classes(net, weights), 5);
}

// The trained detector, where it is there.
TEST(TrainedModel, LoadsWithItsLabels) {
  const fs::path directory = fs::path(CAFFE2RT_SHARED) / "models/d2go_faster_rcnn";
  if (!fs::exists(directory)) GTEST_SKIP() << directory << " is not there";
  ModelOptions options;
  find_model_files(directory.string(), options);
  options.min_size = 64;
  const auto model = load_model(options);
  EXPECT_EQ(model->info().meta_architecture, "GeneralizedRCNN");
  EXPECT_EQ(model->info().labels->size(), 80);
  const std::vector<std::uint8_t> grey(100 * 80, 128);
  const FrameView frame = {PixelFormat::kGray, 100, 80, 100, grey.data()};
  EXPECT_EQ(model->detect({&frame, 1}, model->defaults()).at(0)->height, 80);
}

}  // namespace
}  // namespace caffe2rt
