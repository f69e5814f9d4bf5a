// The command-line tools as their users start them: what they print, and one clear line and exit status 1 for
// every kind of bad input.
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "runtime/npz.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

struct Result {
  int status = -1;
  std::string out, err;
};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Argument ints(const char* name, std::vector<std::int64_t> values) {
  Argument arg;
  arg.name = name;
  arg.ints = std::move(values);
  return arg;
}

OperatorDef fill(const char* blob, std::vector<std::int64_t> shape, std::vector<float> values) {
  OperatorDef op;
  op.type = "GivenTensorFill";
  op.outputs = {blob};
  Argument data;
  data.name = "values";
  data.floats = std::move(values);
  op.args = {ints("shape", std::move(shape)), data};
  return op;
}

// data (N,3,H,W) -> Conv 1x1 to 2 channels -> mean over the image -> Softmax: a classifier of two classes,
// the first for blue images and the second for red ones.
class Tools : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    predict_.name = "colours";
    predict_.external_inputs = {"data", "w", "b"};
    predict_.external_outputs = {"prob"};
    predict_.ops = {operator_of("Conv", {"data", "w", "b"}, "c"), operator_of("AveragePool", {"c"}, "p"),
                    operator_of("Softmax", {"p"}, "prob")};
    predict_.ops[0].args = {ints("kernels", {1, 1})};
    predict_.ops[1].args = {Argument{.name = "global_pooling", .i = 1}};
    init_.name = "colours_init";
    init_.ops = {fill("w", {2, 3, 1, 1}, {0.1F, 0, 0, 0, 0, 0.1F}), fill("b", {2}, {0, 0})};
    save();
    write_npz(folder_ / "in.npz", {{"data", tensor({1, 3, 1, 2}, {0, 0, 0, 0, 200, 200})}});
  }

  static OperatorDef operator_of(const char* type, std::vector<std::string> inputs, const char* output) {
    OperatorDef op;
    op.type = type;
    op.inputs = std::move(inputs);
    op.outputs = {output};
    return op;
  }

  void save() const {
    write("model.pb", serialize_net(predict_));
    write("model_init.pb", serialize_net(init_));
  }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  Result run(const std::string& command) const {
    const std::string line =
        std::string(CAFFE2RT_TOOLS "/") + command + " >" + path("out") + " 2>" + path("err");
    const int status = std::system(line.c_str());  // NOLINT(concurrency-mt-unsafe): tests run one at a time
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder_ / "out"), read(folder_ / "err")};
  }
  Result run_net(const char* predict = "model.pb", const char* init = "model_init.pb",
                 const char* in = "in.npz", const std::string& more = "") const {
    return run("caffe2_run --predict_net " + path(predict) + " --init_net " + path(init) + " --inputs " +
               path(in) + " --outputs " + path("out.npz") + " " + more);
  }

  // Exit status 1, and one line on stderr that holds `text`.
  static void expect_error(const Result& result, const std::string& text) {
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_NE(result.err.find("error: "), std::string::npos) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
  }

  fs::path folder_;
  NetDef predict_, init_;
};

TEST_F(Tools, RunWritesTheExternalOutputs) {
  const Result result = run_net();
  ASSERT_EQ(result.status, 0) << result.err;
  const NamedTensors out = read_npz(folder_ / "out.npz");
  ASSERT_EQ(out.size(), 1U);
  EXPECT_GT(at(out.at("prob").reshape({2}), 1), 0.99F);
}

TEST_F(Tools, RunWritesEveryBlobOnRequest) {
  ASSERT_EQ(run_net("model.pb", "model_init.pb", "in.npz", "--blobs all").status, 0);
  const NamedTensors out = read_npz(folder_ / "out.npz");
  EXPECT_TENSOR_EQ(out.at("c"), tensor({1, 2, 1, 2}, {0, 0, 20, 20}));
}

TEST_F(Tools, InspectSaysWhatANetHolds) {
  const Result result = run("caffe2_inspect " + path("model.pb"));
  ASSERT_EQ(result.status, 0) << result.err;
  for (const char* text : {"colours", "input: data", "output: prob", "1 Conv", "missing: nothing"})
    EXPECT_NE(result.out.find(text), std::string::npos) << result.out;
}

TEST_F(Tools, BenchPrintsOneLineOfJson) {
  const Result result = run("caffe2_bench --predict_net " + path("model.pb") + " --init_net " +
                            path("model_init.pb") + " --height 8 --width 8 --repeat 2 --json");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
  for (const char* key :
       {"\"net\"", "\"size\"", "\"precision\"", "\"threads\"", "\"load_ms\"", "\"first_ms\"", "\"min_ms\"",
        "\"median_ms\"", "\"p95_ms\"", "\"peak_rss_mb\"", "\"proposals\"", "\"detections\"", "\"operators\""})
    EXPECT_NE(result.out.find(key), std::string::npos) << key;
}

TEST_F(Tools, BenchMeasuresTheWaysOfAConvolutionAndKeepsThem) {
  ::setenv("XDG_CACHE_HOME", path("cache").c_str(), 1);
  const std::string bench = "caffe2_bench --predict_net " + path("model.pb") + " --init_net " +
                            path("model_init.pb") + " --height 8 --width 8 --repeat 2 --json";
  const Result before = run(bench), tune = run(bench + " --tune"), after = run(bench),
               untuned = run(bench + " --untuned"), bf16 = run(bench + " --precision bf16");
  ::unsetenv("XDG_CACHE_HOME");
  ASSERT_EQ(tune.status, 0) << tune.err;
  EXPECT_NE(tune.err.find("the best for each of 1"), std::string::npos) << tune.err;
  EXPECT_NE(tune.err.find("written to " + path("cache") + "/gst-caffe2/tuning/"), std::string::npos)
      << tune.err;
  for (const auto* tuned : {&tune, &after}) EXPECT_NE(tuned->out.find("\"tuned\":true"), std::string::npos);
  for (const auto* not_tuned : {&before, &untuned, &bf16})
    EXPECT_NE(not_tuned->out.find("\"tuned\":false"), std::string::npos) << not_tuned->out;
}

TEST_F(Tools, BenchWritesATraceOfItsOperators) {
  const Result result =
      run("caffe2_bench --predict_net " + path("model.pb") + " --init_net " + path("model_init.pb") +
          " --height 8 --width 8 --repeat 2 --precision bf16 --disable-passes all --profile " +
          path("trace.json"));
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string trace = read(folder_ / "trace.json");
  for (const char* text : {"\"traceEvents\"", "\"name\": \"Conv\"", "\"dur\"", "\"gflop\""})
    EXPECT_NE(trace.find(text), std::string::npos) << trace;
}

TEST_F(Tools, WrongPrecisionsAndPassesAreNamed) {
  const std::string bench = "caffe2_bench --predict_net " + path("model.pb") + " --init_net " +
                            path("model_init.pb") + " --repeat 1 ";
  expect_error(run(bench + "--precision fp8"),
               "precision: expected auto, fp32, fp16, bf16 or int8, got 'fp8'");
  expect_error(run(bench + "--precision int8"), "calibration.json', which caffe2_calibrate writes");
  expect_error(run(bench + "--disable-passes magic"), "passes: expected all, ");
}

TEST_F(Tools, CalibrateWantsPicturesThatItCanRead) {
  const std::string calibrate = "caffe2_calibrate --model " + folder_.string() + " --input ";
  expect_error(run(calibrate + path("nothing")), "no such file or folder");
  write("text.txt", "no picture");
  expect_error(run(calibrate + path("text.txt")), "expected an image or a video");
  write("grey.ppm", "P6 64 48 255\n" + std::string(size_t{64} * 48 * 3, 'c'));
  expect_error(
      run(calibrate + path("grey.ppm") + " --input " + path("text.txt") + " --output " + path("c.json")),
      "text.txt: expected an image or a video");
}

TEST_F(Tools, EveryToolExplainsItself) {
  for (const char* tool : {"caffe2_run", "caffe2_bench", "caffe2_inspect", "caffe2_mask_rcnn",
                           "caffe2_launch", "caffe2_calibrate"}) {
    const Result result = run(std::string(tool) + " --help");
    EXPECT_EQ(result.status, 0) << tool;
    EXPECT_NE(result.out.find("Usage: "), std::string::npos) << tool;
  }
}

TEST_F(Tools, MissingFileIsNamed) {
  expect_error(run_net("nothing.pb"), path("nothing.pb") + ": no such file");
}

TEST_F(Tools, DirectoryInsteadOfAFileIsNamed) {
  expect_error(run_net("."), "expected a file, got a directory");
}

TEST_F(Tools, EmptyFileIsRefused) {
  write("empty.pb", "");
  expect_error(run_net("empty.pb"), "the file is empty");
  expect_error(run_net("model.pb", "empty.pb"), "the file is empty");
}

TEST_F(Tools, TruncatedFileIsRefused) {
  const std::string whole = read(folder_ / "model_init.pb");
  write("truncated.pb", whole.substr(0, whole.size() - 7));
  expect_error(run_net("model.pb", "truncated.pb"), "truncated.pb");
}

TEST_F(Tools, RandomBytesAreRefused) {
  std::mt19937 generator(7);
  std::string bytes(4096, '\0');
  for (char& c : bytes) c = static_cast<char>(generator());
  write("random.pb", bytes);
  expect_error(run_net("random.pb"), "expected a binary NetDef");
}

TEST_F(Tools, TextWhereBinaryIsExpectedIsRefusedWithAdvice) {
  write("text.pb", "name: \"net\"\nop { type: \"Relu\" input: \"data\" output: \"y\" }\n");
  expect_error(run_net("text.pb"), ".pbtxt");
}

TEST_F(Tools, SwappedFilesAreRecognised) { expect_error(run_net("model_init.pb", "model.pb"), "swapped"); }

TEST_F(Tools, UnknownOperatorsAreListedWithTheirNumber) {
  predict_.ops[0].type = "Quux";
  predict_.ops[2].type = "Quux";
  predict_.ops[1].type = "Frobnicate";
  save();
  expect_error(run_net(), "'Frobnicate' (1x), 'Quux' (2x)");
}

TEST_F(Tools, WrongWeightShapeNamesOperatorAndBlob) {
  init_.ops[1] = fill("b", {3}, {0, 0, 0});
  save();
  expect_error(run_net(), "operator 0 'Conv'");
}

TEST_F(Tools, MissingBlobIsNamed) {
  predict_.ops[1].inputs = {"nowhere"};
  save();
  expect_error(run_net(), "'nowhere'");
}

TEST_F(Tools, NanWeightsAreRefused) {
  init_.ops[0] = fill("w", {2, 3, 1, 1}, {0.1F, 0, NAN, 0, 0, 0.1F});
  save();
  expect_error(run_net(), "'w'");
}

TEST_F(Tools, InputThatIsNotFedIsNamed) {
  write_npz(folder_ / "other.npz", {{"image", tensor({1}, {1})}});
  expect_error(run_net("model.pb", "model_init.pb", "other.npz"), "'data'");
}

TEST_F(Tools, InputOfTheWrongShapeNamesTheOperator) {
  write_npz(folder_ / "flat.npz", {{"data", tensor({3}, {1, 2, 3})}});
  expect_error(run_net("model.pb", "model_init.pb", "flat.npz"), "operator 0 'Conv'");
}

TEST_F(Tools, OutputThatCannotBeWrittenIsAnError) {
  const Result result =
      run("caffe2_run --predict_net " + path("model.pb") + " --init_net " + path("model_init.pb") +
          " --inputs " + path("in.npz") + " --outputs /nowhere/out.npz");
  expect_error(result, "/nowhere/out.npz");
}

TEST_F(Tools, LaunchSaysWhatIsWrongWithAPipeline) {
  expect_error(run("caffe2_launch videotestsrc ! no_such_element"), "no_such_element");
  EXPECT_EQ(run("caffe2_launch filesrc location=/nowhere ! fakesink").status, 1);
  expect_error(run("caffe2_launch"), "expected a pipeline");
}

}  // namespace
}  // namespace caffe2rt
