// Several elements with one model, and a model that changes while frames flow.
#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

const std::string kCaps = video("GRAY8", 8, 8);

std::string inference(const std::string& properties, const std::string& net = "fake") {
  return "caffe2inference name=i drop-policy=block init-net=fake predict-net=" + net + " " + properties;
}

// How many frames were looked at together with this one.
int batch_of(GstBuffer* frame) {
  GstCaffe2Tensor tensor;
  EXPECT_TRUE(gst_caffe2_meta_get_tensor(gst_buffer_get_caffe2_meta(frame), 1, &tensor));
  return static_cast<int>(*tensor.values);
}

TEST(Sharing, FramesOfElementsThatShareAModelAreLookedAtTogether) {
  const std::string shared = inference("model-instance-id=a batch-size=2 batch-timeout=60000 output=raw");
  const Harness one = harness(shared, kCaps), two = harness(shared, kCaps);
  gst_harness_push(one.get(), flat_frame(kCaps, 1).release());
  gst_harness_push(two.get(), flat_frame(kCaps, 2).release());
  for (const Harness* h : {&one, &two}) {
    const Buffer out(gst_harness_pull(h->get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(batch_of(out.get()), 2);
  }
}

TEST(Sharing, ElementsWithoutANameHaveTheirOwn) {
  const Harness one = harness(inference("output=raw"), kCaps),
                two = harness(inference("output=raw", "blind"), kCaps);
  EXPECT_EQ(objects_in(push_and_pull(one.get(), flat_frame(kCaps, 1)).get()), 2U);
  EXPECT_EQ(objects_in(push_and_pull(two.get(), flat_frame(kCaps, 1)).get()), 0U);
}

TEST(Sharing, AnElementThatAsksForAnotherModelIsRefusedWithBothNamed) {
  const Harness one = harness(inference("model-instance-id=b"), kCaps);
  const Owned<GstElement> two(gst_parse_launch(inference("model-instance-id=b", "blind").c_str(), nullptr));
  const Errors errors(two.get());
  EXPECT_EQ(gst_element_set_state(two.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const auto error = errors.next();
  EXPECT_EQ(error.domain, "gst-resource-error-quark");
  EXPECT_EQ(error.code, GST_RESOURCE_ERROR_SETTINGS);
  EXPECT_EQ(error.text,
            "model-instance-id 'b' is shared with predict-net = 'fake' and cannot have 'blind' too");
}

TEST(Sharing, AnErrorInOneStreamStopsNoOther) {
  const std::string shared = inference("model-instance-id=c");
  const Harness one = harness(shared, kCaps), two = harness(shared, video("BGR", 8, 8));
  const Errors errors(one->element);
  EXPECT_EQ(gst_harness_push(one.get(), gst_buffer_new_allocate(nullptr, 3, nullptr)), GST_FLOW_ERROR);
  EXPECT_EQ(errors.next().code, GST_STREAM_ERROR_FORMAT);
  EXPECT_EQ(objects_in(push_and_pull(two.get(), flat_frame(video("BGR", 8, 8), 1)).get()), 2U);
}

TEST(Sharing, StreamsJoinAndLeave) {
  const std::string shared = inference("model-instance-id=d workers=2 threads=1 batch-size=3");
  const Harness stays = harness(shared, kCaps);
  for (int round = 0; round < 5; round++) {
    std::vector<Harness> guests;
    for (int i = 0; i < 15; i++) guests.push_back(harness(shared, kCaps));
    for (const Harness& guest : guests) gst_harness_push(guest.get(), flat_frame(kCaps, 1).release());
    EXPECT_EQ(objects_in(push_and_pull(stays.get(), flat_frame(kCaps, 1)).get()), 2U);
    for (size_t i = 0; i < guests.size(); i += 2)  // the others leave with a frame inside
      EXPECT_EQ(objects_in(Buffer(gst_harness_pull(guests[i].get())).get()), 2U);
  }
}

// Pushes frames until one shows so many objects.
void await_objects(const Harness& h, guint objects) {
  while (objects_in(push_and_pull(h.get(), flat_frame(kCaps, 1)).get()) != objects) {
  }
}

TEST(ModelSwap, ANewModelTakesOverWhileFramesFlow) {
  const Harness h = harness(inference(""), kCaps);
  const Owned<GstElement> element(gst_harness_find_element(h.get(), "caffe2inference"));
  EXPECT_EQ(objects_in(push_and_pull(h.get(), flat_frame(kCaps, 1)).get()), 2U);
  g_object_set(element.get(), "predict-net", "blind", "init-net", "other", nullptr);
  await_objects(h, 0);
  g_object_set(element.get(), "predict-net", "fake", nullptr);
  await_objects(h, 2);
}

TEST(ModelSwap, ABadModelIsRefusedAndTheOldOneGoesOn) {
  const Harness h = harness(inference(""), kCaps);
  const Messages messages(h->element);
  const Owned<GstElement> element(gst_harness_find_element(h.get(), "caffe2inference"));
  push_and_pull(h.get(), flat_frame(kCaps, 1));
  g_object_set(element.get(), "predict-net", "broken", nullptr);
  const auto message = messages.await(GstMessageType(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_WARNING);
  EXPECT_EQ(Messages::warning_text(message.get()),
            "broken: expected a NetDef. The model that was there goes on.");
  EXPECT_EQ(objects_in(push_and_pull(h.get(), flat_frame(kCaps, 1)).get()), 2U);
  gchar* net = nullptr;
  do {  // it is set back just after the warning
    g_free(net);
    g_object_get(element.get(), "predict-net", &net, nullptr);
  } while (net != std::string("fake"));
  g_free(net);
}

TEST(ModelSwap, ReachesAllElementsThatShareTheModel) {
  const std::string shared = inference("model-instance-id=e");
  const Harness one = harness(shared, kCaps), two = harness(shared, kCaps);
  const Owned<GstElement> element(gst_harness_find_element(one.get(), "caffe2inference"));
  g_object_set(element.get(), "predict-net", "blind", nullptr);
  await_objects(one, 0);
  EXPECT_EQ(objects_in(push_and_pull(two.get(), flat_frame(kCaps, 1)).get()), 0U);
  const Harness three = harness(inference("model-instance-id=e", "blind"), kCaps);
  EXPECT_EQ(objects_in(push_and_pull(three.get(), flat_frame(kCaps, 1)).get()), 0U);
}

}  // namespace
}  // namespace caffe2rt::gst
