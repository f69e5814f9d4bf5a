"""GstCaffe2Meta read from Python, by way of GObject introspection, with the model of fake_engine.cpp."""
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstCaffe2", "1.0")
from gi.repository import Gst, GstApp, GstCaffe2  # noqa: E402, F401

Gst.init(None)
pipeline = Gst.parse_launch(
    "videotestsrc num-buffers=1 ! video/x-raw,format=BGR,width=160,height=80 ! "
    "caffe2inference predict-net=fake init-net=fake output=raw ! appsink name=out sync=false")
pipeline.set_state(Gst.State.PLAYING)
sample = pipeline.get_by_name("out").try_pull_sample(60 * Gst.SECOND)
meta = GstCaffe2.buffer_get_caffe2_meta(sample.get_buffer())

assert meta.get_inferred()
assert meta.get_look() == GstCaffe2.Look.INFERRED
assert tuple(meta.get_frame_size()) == (160, 80)
assert meta.get_n_objects() == 2
found, car = meta.get_object(0)
assert found
assert (car.x1, car.y1, car.x2, car.y2) == (40, 20, 80, 40)
assert meta.dup_label(car.class_id) == "car"
assert meta.get_object(2)[0] is False
mask, rect = meta.get_mask(0, 0.5)
assert mask.get_size() == rect.w * rect.h
assert meta.get_keypoint(0, 0) == (True, 40, 40, 1)
found, tensor = meta.get_tensor(0)
assert found and tensor.name == "pixels"
pipeline.set_state(Gst.State.NULL)
print("ok")
