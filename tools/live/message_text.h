// What GStreamer's messages say, in one line for people. Nothing is owned here, and any thread may ask.
#pragma once

#include <gst/gst.h>

#include <string>

namespace caffe2rt {

// Of an error or a warning: what happened, and in brackets the particulars that elements leave in the debug
// text, where those are words for people.
std::string message_text(GstMessage* message);

// Of an element message whose name begins with "caffe2-": its field "text", or nothing.
std::string element_text(GstMessage* message);

// Posts such a message.
void post_text(GstElement* element, const char* name, const std::string& text);

// Posts an error or a warning of a resource.
void post_problem(GstElement* element, GstMessageType type, GstResourceError code, const std::string& text);

}  // namespace caffe2rt
