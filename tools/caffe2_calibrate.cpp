// caffe2_calibrate: looks at images or a video and writes in which ranges a net's blobs lie, which precision
// int8 needs.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include "model/calibrator.h"
#include "tool.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string model, output;
  std::vector<std::string> inputs;
  int frames = 100, every = 1;
};

FrameView view(const cv::Mat& image) {
  return {PixelFormat::kBgr, image.cols, image.rows, static_cast<std::ptrdiff_t>(image.step[0]), image.data};
}

// Shows on standard error how far it is, where that is a terminal.
class Progress {
 public:
  explicit Progress(int total) : total_(total), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (shown_ && done_ > 0) std::fputc('\n', stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step() {
    done_++;
    if (shown_) fmt::print(stderr, "\r{} of at most {} frames", done_, total_);
  }
  int done() const { return done_; }
  bool finished() const { return done_ >= total_; }

 private:
  const int total_;
  const bool shown_;
  int done_ = 0;
};

struct Input {
  fs::path file;
  bool named = false;  // by the user, not found in a folder
};

// Files, those of folders in the order of their names.
std::vector<Input> list_files(const std::vector<std::string>& inputs) {
  std::vector<Input> files;
  for (const auto& input : inputs) {
    std::error_code error;
    require(fs::exists(input, error), ErrorCode::kNotFound, "{}: no such file or folder", input);
    if (!fs::is_directory(input, error)) {
      files.push_back({input, true});
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(input))
      if (entry.is_regular_file()) inside.push_back(entry.path());
    std::ranges::sort(inside);
    for (const auto& file : inside) files.push_back({file});
  }
  return files;
}

// Looks at an image, or at frames of a video. Other files of a folder are passed over.
void look_at(const Input& input, int every, Calibrator& calibrator, Progress& progress) {
  const fs::path& file = input.file;
  const int before = progress.done();
  if (const cv::Mat image = cv::imread(file.string(), cv::IMREAD_COLOR); !image.empty()) {
    calibrator.look(view(image));
    progress.step();
    return;
  }
  cv::VideoCapture video(file.string(), cv::CAP_FFMPEG);
  cv::Mat frame;
  for (int i = 0; !progress.finished() && video.read(frame); i++) {
    if (i % every != 0) continue;
    calibrator.look(view(frame));
    progress.step();
  }
  require(progress.done() > before || !input.named, ErrorCode::kIo, "{}: expected an image or a video",
          file.string());
}

void calibrate(const Flags& flags) {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);  // our own message is the one line
  ModelOptions options;
  find_model_files(flags.model, options);
  const auto files = list_files(flags.inputs);
  const auto calibrator = make_calibrator(options);
  const std::string output = flags.output.empty() ? calibration_file_of(options.predict_net) : flags.output;
  Progress progress(flags.frames);
  for (const auto& file : files)
    if (!progress.finished()) look_at(file, flags.every, *calibrator, progress);
  require(progress.done() > 0, ErrorCode::kIo, "{}: expected an image or a video, found none",
          flags.inputs.front());
  const Calibration calibration = calibrator->result();
  write_calibration(calibration, output);
  fmt::print("{}: ranges of {} blobs, from {} frames\n", output, calibration.ranges.size(), progress.done());
}

void add_options(CLI::App& app, Flags& flags) {
  app.add_option("--model", flags.model, "Folder with model.pb and model_init.pb")->required();
  app.add_option("--input", flags.inputs, "Images, videos, or folders of them, such as the model will see")
      ->required();
  app.add_option("--output", flags.output, "File to write; default: calibration.json beside model.pb");
  app.add_option("--frames", flags.frames, "Most frames to look at")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--every", flags.every, "Of a video: look at every so manieth frame")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>(
      "caffe2_calibrate", "Looks at images or a video and writes the calibration that precision int8 needs.",
      argc, argv, caffe2rt::add_options, caffe2rt::calibrate);
}
