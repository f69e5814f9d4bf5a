// What travels between frames: events and serialised queries.
#pragma once

#include <future>
#include <utility>

#include "gst_ref.h"
#include "serving/frame.h"

namespace caffe2rt::gst {

class EventItem final : public Item {
 public:
  explicit EventItem(GstEvent* event) : event_(event) {}
  GstEvent* get() const { return event_.get(); }
  GstEvent* release() { return event_.release(); }

  // Leaves what describes the stream on the pad, as if it had passed; of a flush it is known to leave the
  // segment to those who come after it.
  void keep(GstPad* pad, bool flush) const {
    const GstEventType type = GST_EVENT_TYPE(event_.get());
    if (!GST_EVENT_IS_STICKY(event_.get()) || type == GST_EVENT_EOS) return;
    if (flush && type == GST_EVENT_SEGMENT) return;
    gst_pad_store_sticky_event(pad, event_.get());
  }

 private:
  Ref<GstEvent> event_;
};

// A query whose asker waits until it is answered, with no where it never gets its turn.
class QueryItem final : public Item {
 public:
  explicit QueryItem(GstQuery* query) : query_(query) {}
  ~QueryItem() override {
    if (!is_answered_) answer(false);
  }
  QueryItem(const QueryItem&) = delete;
  QueryItem& operator=(const QueryItem&) = delete;

  GstQuery* get() const { return query_; }  // the asker's
  void answer(bool yes) {
    is_answered_ = true;
    answer_.set_value(yes);
  }
  std::future<bool> answered() { return answer_.get_future(); }

 private:
  GstQuery* const query_;
  bool is_answered_ = false;
  std::promise<bool> answer_;
};

}  // namespace caffe2rt::gst
