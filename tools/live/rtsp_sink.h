// rtspserversink: hosts an RTSP server, whose clients see the H.264 stream that comes in. One stream for all
// of them; who comes late gets a key frame soon.
#pragma once

namespace caffe2rt {

// Makes the element known in this process, by the name "rtspserversink". Call after gst_init.
void register_rtsp_sink();

}  // namespace caffe2rt
