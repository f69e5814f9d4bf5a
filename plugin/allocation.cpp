#include "allocation.h"

#include <gst/video/video.h>

namespace caffe2rt::gst {

Allocation answer_allocation(GstPad* src, GstQuery* query, guint inside) {
  Allocation result;
  result.answered = gst_pad_peer_query(src, query);
  refuse_cropping(query);
  result.wants_packed = !gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  if (result.wants_packed) gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps)) return result;
  const guint pools = gst_query_get_n_allocation_pools(query);
  for (guint i = 0; i < pools; i++) {
    GstBufferPool* pool = nullptr;
    guint size = 0, least = 0, most = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &least, &most);
    gst_query_set_nth_allocation_pool(query, i, pool, size, least + inside, most == 0 ? 0 : most + inside);
    if (pool) gst_object_unref(pool);
  }
  if (pools == 0) gst_query_add_allocation_pool(query, nullptr, GST_VIDEO_INFO_SIZE(&info), inside, 0);
  result.answered = true;
  return result;
}

void refuse_cropping(GstQuery* query) {
  guint index = 0;
  while (gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, &index))
    gst_query_remove_nth_allocation_meta(query, index);
}

}  // namespace caffe2rt::gst
