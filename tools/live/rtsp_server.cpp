#include "rtsp_server.h"

#include "base/error.h"

namespace caffe2rt {
namespace {

constexpr guint kCleaningInterval = 5;  // s, in which clients that went without a word are looked for
constexpr char kLaunch[] =
    "( appsrc name=feed is-live=true format=time max-bytes=8000000 leaky-type=upstream "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )";

using SharedFeed = std::shared_ptr<Feed>;

// The feed as the data of a signal's closure, which a client may hold longer than the server lives.
gpointer held(const SharedFeed& feed) { return new SharedFeed(feed); }
void release(gpointer data, GClosure*) { delete static_cast<SharedFeed*>(data); }
Feed& feed_of(gpointer data) { return **static_cast<SharedFeed*>(data); }

GstElement* find_appsrc(GstRTSPMedia* media) {
  const Owned<GstElement> top(gst_rtsp_media_get_element(media));
  return gst_bin_get_by_name(GST_BIN(top.get()), "feed");
}

void on_unprepared(GstRTSPMedia* media, gpointer data) {
  const Owned<GstElement> appsrc(find_appsrc(media));
  feed_of(data).shut(appsrc.get());
}

void on_media(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
  g_signal_connect_data(media, "unprepared", G_CALLBACK(on_unprepared), held(*static_cast<SharedFeed*>(data)),
                        release, GConnectFlags(0));
  feed_of(data).open(Owned<GstElement>(find_appsrc(media)));
}

// A client that comes later would wait for the next key frame by itself.
void on_play(GstRTSPClient*, GstRTSPContext*, gpointer data) { feed_of(data).ask_for_key_frame(); }

void on_client(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
  g_signal_connect_data(client, "play-request", G_CALLBACK(on_play), held(*static_cast<SharedFeed*>(data)),
                        release, GConnectFlags(0));
}

gboolean clean(gpointer server) {
  const OwnedObject<GstRTSPSessionPool> pool(
      gst_rtsp_server_get_session_pool(static_cast<GstRTSPServer*>(server)));
  gst_rtsp_session_pool_cleanup(pool.get());
  return G_SOURCE_CONTINUE;
}

GstRTSPFilterResult close_client(GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }

}  // namespace

RtspServer::RtspServer(const ServerSettings& settings, std::shared_ptr<Feed> feed)
    : settings_(settings),
      feed_(std::move(feed)),
      server_(gst_rtsp_server_new()),
      context_(g_main_context_new()),
      loop_(g_main_loop_new(context_.get(), FALSE)) {
  require(settings_.mount.starts_with('/'), ErrorCode::kArgument,
          "mount: expected one such as /live, got '{}'", settings_.mount);
  gst_rtsp_server_set_address(server_.get(), settings_.address.c_str());
  gst_rtsp_server_set_service(server_.get(), std::to_string(settings_.port).c_str());
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, static_cast<const char*>(kLaunch));
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  g_signal_connect_data(factory, "media-configure", G_CALLBACK(on_media), held(feed_), release,
                        GConnectFlags(0));
  g_signal_connect_data(server_.get(), "client-connected", G_CALLBACK(on_client), held(feed_), release,
                        GConnectFlags(0));
  const OwnedObject<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
  gst_rtsp_mount_points_add_factory(mounts.get(), settings_.mount.c_str(), factory);
  attach();
  thread_ = std::thread([this] { g_main_loop_run(loop_.get()); });
}

void RtspServer::attach() {
  GError* error = nullptr;
  listening_.reset(gst_rtsp_server_create_source(server_.get(), nullptr, &error));
  const Owned<GError> owned(error);
  require(listening_ != nullptr, ErrorCode::kIo, "cannot serve at {}:{}: {}", settings_.address,
          settings_.port, error ? error->message : "unknown reason");
  g_source_attach(listening_.get(), context_.get());
  cleaning_.reset(g_timeout_source_new_seconds(kCleaningInterval));
  g_source_set_callback(cleaning_.get(), clean, server_.get(), nullptr);
  g_source_attach(cleaning_.get(), context_.get());
}

RtspServer::~RtspServer() {
  feed_->close();
  listening_.reset();
  cleaning_.reset();
  g_list_free(gst_rtsp_server_client_filter(server_.get(), close_client, nullptr));
  // Quitting a loop that does not run yet would be forgotten.
  const std::unique_ptr<GSource, Release> quitting(g_idle_source_new());
  g_source_set_callback(
      quitting.get(),
      [](gpointer loop) {
        g_main_loop_quit(static_cast<GMainLoop*>(loop));
        return gboolean{G_SOURCE_REMOVE};
      },
      loop_.get(), nullptr);
  g_source_attach(quitting.get(), context_.get());
  thread_.join();
}

std::string RtspServer::url() const {
  const bool everywhere = settings_.address == "0.0.0.0" || settings_.address == "::";
  const bool bare = !everywhere && settings_.address.find(':') != std::string::npos;  // IPv6
  const std::string host = everywhere ? g_get_host_name() : settings_.address;
  return fmt::format("rtsp://{}:{}{}", bare ? "[" + host + "]" : host,
                     gst_rtsp_server_get_bound_port(server_.get()), settings_.mount);
}

}  // namespace caffe2rt
