#include "guard.h"

namespace caffe2rt::gst {
namespace {

struct GstCode {
  GQuark domain;
  int code;
};

GstCode code_in_setup(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::kArgument:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
    case ErrorCode::kUnsupported:
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED};
    case ErrorCode::kIo:
    case ErrorCode::kFormat:
    case ErrorCode::kShape:
    case ErrorCode::kType:
    case ErrorCode::kGraph:
    case ErrorCode::kLimit:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
    case ErrorCode::kMemory:
    case ErrorCode::kDevice:
    case ErrorCode::kInternal:
      break;
  }
  return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED};
}

GstCode code_of(During during, const std::exception& error) {
  if (const auto* stream = dynamic_cast<const StreamError*>(&error))
    return {GST_STREAM_ERROR, stream->code()};
  if (during == During::kStreaming) return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return code_in_setup(ours->code());
  return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED};
}

}  // namespace

void post_error(gpointer element, During during, const std::exception& error) noexcept {
  const auto [domain, code] = code_of(during, error);
  gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_ERROR, domain, code, g_strdup(error.what()),
                           nullptr, __FILE__, "post_error", __LINE__);
}

void post_warning(gpointer element, During during, const std::exception& error,
                  const char* consequence) noexcept {
  const auto [domain, code] = code_of(during, error);
  gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_WARNING, domain, code,
                           g_strdup_printf("%s. %s", error.what(), consequence), nullptr, __FILE__,
                           "post_warning", __LINE__);
}

}  // namespace caffe2rt::gst
