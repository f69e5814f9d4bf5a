// The plugin `caffe2`. It stays light: the engine is loaded when a model is (engine.h).
#include <gst/gst.h>

GST_ELEMENT_REGISTER_DECLARE(caffe2inference)
GST_ELEMENT_REGISTER_DECLARE(caffe2overlay)
GST_ELEMENT_REGISTER_DECLARE(caffe2tracker)

namespace {

gboolean register_elements(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(caffe2inference, plugin) && GST_ELEMENT_REGISTER(caffe2tracker, plugin) &&
         GST_ELEMENT_REGISTER(caffe2overlay, plugin);
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, caffe2, "detectron2 models exported to Caffe2",
                  register_elements, CAFFE2RT_VERSION, "Apache 2.0", "gst-caffe2", "gst-caffe2")
