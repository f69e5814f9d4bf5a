#include "message_text.h"

#include <string_view>

#include "owned.h"

namespace caffe2rt {
namespace {

// The file that an element writes, where it writes one.
std::string location_of(GstObject* element) {
  if (!g_object_class_find_property(G_OBJECT_GET_CLASS(element), "location")) return {};
  char* location = nullptr;
  g_object_get(element, "location", &location, nullptr);
  const Owned<char> owned(location);
  return location ? location : "";
}

}  // namespace

std::string message_text(GstMessage* message) {
  GError* error = nullptr;
  char* debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &debug);
  else
    gst_message_parse_warning(message, &error, &debug);
  const Owned<GError> owned_error(error);
  const Owned<char> owned_debug(debug);
  // GStreamer's own elements say what happened in general, and the particulars in the last line of the debug
  // text; the lines before it name source files.
  std::string particulars = debug ? g_strchomp(debug) : "";
  particulars = particulars.substr(particulars.rfind('\n') + 1);
  if (particulars.starts_with("../") || particulars.find("):") != std::string::npos) particulars.clear();
  std::string text = error->message;
  if (particulars.empty() && g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
    particulars = location_of(GST_MESSAGE_SRC(message));
  if (!particulars.empty()) text += " (" + particulars + ")";
  return text;
}

std::string element_text(GstMessage* message) {
  const GstStructure* structure = gst_message_get_structure(message);
  if (!structure || !std::string_view(gst_structure_get_name(structure)).starts_with("caffe2-")) return {};
  const char* text = gst_structure_get_string(structure, "text");
  return text ? text : "";
}

void post_text(GstElement* element, const char* name, const std::string& text) {
  gst_element_post_message(
      element, gst_message_new_element(GST_OBJECT(element), gst_structure_new(name, "text", G_TYPE_STRING,
                                                                              text.c_str(), nullptr)));
}

void post_problem(GstElement* element, GstMessageType type, GstResourceError code, const std::string& text) {
  gst_element_message_full(element, type, GST_RESOURCE_ERROR, code, g_strdup(text.c_str()), nullptr, __FILE__,
                           static_cast<const char*>(__func__), __LINE__);
}

}  // namespace caffe2rt
