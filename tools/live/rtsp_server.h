// An RTSP server with one stream that all its clients share. It owns the server, its sockets and a thread
// for them, from construction to destruction.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <memory>
#include <string>
#include <thread>

#include "feed.h"
#include "owned.h"

namespace caffe2rt {

struct ServerSettings {
  std::string address = "0.0.0.0";  // to listen at; 0.0.0.0: at all of this machine's
  int port = 8554;                  // 0: any that is free
  std::string mount = "/live";
};

class RtspServer {
 public:
  // The feed is opened and shut as clients come and go. Throws Error: kIo where the port is taken.
  RtspServer(const ServerSettings& settings, std::shared_ptr<Feed> feed);
  ~RtspServer();
  RtspServer(const RtspServer&) = delete;
  RtspServer& operator=(const RtspServer&) = delete;

  std::string url() const;

 private:
  struct Release {
    void operator()(GMainContext* p) const { g_main_context_unref(p); }
    void operator()(GMainLoop* p) const { g_main_loop_unref(p); }
    void operator()(GSource* p) const {
      g_source_destroy(p);
      g_source_unref(p);
    }
  };
  void attach();

  const ServerSettings settings_;
  const std::shared_ptr<Feed> feed_;
  const OwnedObject<GstRTSPServer> server_;
  const std::unique_ptr<GMainContext, Release> context_;
  const std::unique_ptr<GMainLoop, Release> loop_;
  std::unique_ptr<GSource, Release> listening_;
  std::unique_ptr<GSource, Release> cleaning_;
  std::thread thread_;
};

}  // namespace caffe2rt
