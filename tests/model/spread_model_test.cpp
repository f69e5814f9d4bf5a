#include "model/spread_model.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Says in every frame which model it is; holds whoever asks while it is closed.
class NumberedModel final : public Model {
 public:
  explicit NumberedModel(int number) : number_(number) {}
  const ModelInfo& info() const override { return info_; }
  const DetectOptions& defaults() const override { return defaults_; }

  std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                        const DetectOptions&) const override {
    require(!fails, ErrorCode::kDevice, "the device failed");
    std::unique_lock lock(lock_);
    inside_++;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !closed_; });
    Detections seen;
    seen.objects = {{.class_id = number_}};
    return {frames.size(), std::make_shared<const Detections>(seen)};
  }

  void read_gpu_memory() { info_.reads_gpu_memory = true; }
  void close() { closed_ = true; }
  void open() {
    const std::lock_guard lock(lock_);
    closed_ = false;
    changed_.notify_all();
  }
  // Waits until it was asked so often.
  void await(int times) {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [&] { return inside_ >= times; });
  }

  bool fails = false;

 private:
  const int number_;
  ModelInfo info_;
  DetectOptions defaults_;
  mutable std::mutex lock_;
  mutable std::condition_variable changed_;
  mutable int inside_ = 0;
  bool closed_ = false;
};

class SpreadModelTest : public testing::Test {
 protected:
  SpreadModelTest() {
    std::vector<std::unique_ptr<Model>> models;
    for (int i = 0; i < 3; i++) {
      auto model = std::make_unique<NumberedModel>(i);
      numbered_.push_back(model.get());
      models.push_back(std::move(model));
    }
    model_ = spread(std::move(models));
  }

  // Which model looked at a batch of so many frames.
  int look_at(size_t frames) {
    const std::vector<FrameView> views(frames);
    const auto seen = model_->detect(views, {});
    EXPECT_EQ(seen.size(), frames);
    return seen.front()->objects.front().class_id;
  }

  std::vector<NumberedModel*> numbered_;
  std::unique_ptr<Model> model_;
};

TEST_F(SpreadModelTest, TheFirstOneLooksWhereNoneIsBusy) {
  for (int i = 0; i < 3; i++) EXPECT_EQ(look_at(2), 0);
}

TEST_F(SpreadModelTest, ABatchGoesToTheOneWithTheFewestFrames) {
  numbered_[0]->close();
  numbered_[1]->close();
  std::thread one([&] { EXPECT_EQ(look_at(1), 0); });
  numbered_[0]->await(1);
  std::thread two([&] { EXPECT_EQ(look_at(8), 1); });
  numbered_[1]->await(1);
  EXPECT_EQ(look_at(4), 2);
  numbered_[2]->close();
  std::thread three([&] { EXPECT_EQ(look_at(4), 2); });
  numbered_[2]->await(2);
  std::thread four([&] { EXPECT_EQ(look_at(1), 0); });  // has one frame; the others have 8 and 4
  numbered_[0]->await(2);
  for (NumberedModel* model : numbered_) model->open();
  for (std::thread* thread : {&one, &two, &three, &four}) thread->join();
  EXPECT_EQ(look_at(1), 0);
}

TEST_F(SpreadModelTest, FramesMayBeInAGpusMemoryWhereAllCanReadThem) {
  for (const bool all : {false, true}) {
    std::vector<std::unique_ptr<Model>> models;
    for (int i = 0; i < 2; i++) {
      auto model = std::make_unique<NumberedModel>(i);
      if (all || i == 0) model->read_gpu_memory();
      models.push_back(std::move(model));
    }
    EXPECT_EQ(spread(std::move(models))->info().reads_gpu_memory, all);
  }
}

TEST_F(SpreadModelTest, OneThatFailsIsNotBusyAfterwards) {
  numbered_[0]->fails = true;
  EXPECT_ERROR(look_at(1), ErrorCode::kDevice, "the device failed");
  numbered_[0]->fails = false;
  EXPECT_EQ(look_at(1), 0);
}

}  // namespace
}  // namespace caffe2rt
