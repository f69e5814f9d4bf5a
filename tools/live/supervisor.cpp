#include "supervisor.h"

#include <algorithm>

#include "base/error.h"
#include "message_text.h"

namespace caffe2rt {

void Supervisor::receive(Owned<GstBuffer> frame, GstCaps* caps) {
  // What a server sends again after its return may lie in the past.
  if (GST_CLOCK_TIME_IS_VALID(last_pts_) && GST_BUFFER_PTS(frame.get()) <= last_pts_) return;
  last_pts_ = GST_BUFFER_PTS(frame.get());
  if (away_) {
    const std::chrono::duration<double> gone = Steady::now() - away_since_;
    const std::string uri = settings().uri;
    post_text(element_, "caffe2-live",
              fmt::format("{}: back after {:.1f} s", without_password(uri, uri), gone.count()));
    away_ = false;
    frame.reset(gst_buffer_make_writable(frame.release()));
    GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_DISCONT);
  }
  seen_ = true;
  gst_app_src_set_caps(out_, caps);  // which does nothing where they are the same
  gst_app_src_push_buffer(out_, frame.release());
}

void Supervisor::run(const std::stop_token& stop, const OuterTime& time) noexcept {
  try {
    connect(stop, time);
  } catch (const std::exception& e) {
    post_problem(element_, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR_FAILED, e.what());
  }
}

void Supervisor::connect(const std::stop_token& stop, const OuterTime& time) {
  using std::chrono::milliseconds;
  constexpr milliseconds kShortPause(500), kLongPause(2000);
  for (milliseconds pause = kShortPause; !stop.stop_requested(); pause = std::min(2 * pause, kLongPause)) {
    const LiveSettings settings = this->settings();
    Outcome outcome;
    {
      Connection connection(settings, time, *this);
      outcome = connection.wait(stop);
    }
    if (stop.stop_requested()) return;
    const bool finished = outcome.end == Outcome::End::kEnded && !outcome.live;
    const bool again = !finished && (settings.reconnect == Reconnect::kAlways ||
                                     (settings.reconnect == Reconnect::kOnceSeen && seen_));
    if (!again) return give_up(settings, outcome);
    if (!away_) warn(settings, outcome);
    if (outcome.had_frames) pause = kShortPause;
    std::unique_lock lock(pause_lock_);
    pause_.wait_for(lock, stop, pause, [] { return false; });
  }
}

void Supervisor::give_up(const LiveSettings& settings, const Outcome& outcome) {
  const bool nothing_came = outcome.end == Outcome::End::kEnded && !outcome.had_frames;
  if (outcome.end == Outcome::End::kEnded && !nothing_came) {
    gst_app_src_end_of_stream(out_);
    return;
  }
  post_problem(element_, GST_MESSAGE_ERROR, outcome.code,
               fmt::format("{}: {}", without_password(settings.uri, settings.uri),
                           nothing_came ? "expected video, got the end of the stream" : outcome.cause));
}

void Supervisor::warn(const LiveSettings& settings, const Outcome& outcome) {
  away_ = true;
  away_since_ = Steady::now();
  post_problem(
      element_, GST_MESSAGE_WARNING, outcome.code,
      fmt::format("{}: {}; trying again until it is back", without_password(settings.uri, settings.uri),
                  outcome.end == Outcome::End::kEnded ? "the server ended the stream" : outcome.cause));
}

}  // namespace caffe2rt
