"""What caffe2inference attached to a frame, for PyGObject programs.

    import gi
    gi.require_version("Gst", "1.0"); gi.require_version("GstApp", "1.0")
    from gi.repository import Gst, GstApp
    from caffe2rt import meta
    Gst.init(None)
    pipeline = Gst.parse_launch("filesrc location=in.mp4 ! decodebin ! videoconvert ! caffe2inference model=DIR ! appsink name=sink")
    pipeline.set_state(Gst.State.PLAYING)
    sink = pipeline.get_by_name("sink")
    while sample := sink.pull_sample():
        for found in meta.read(sample.get_buffer()).objects:
            print(found.label, found.score, found.box)

By way of the C library gstcaffe2meta-1.0 (plugin/meta/gst/caffe2/gstcaffe2meta.h), which needs no bindings of its own.
"""
from __future__ import annotations

import ctypes as c
import dataclasses
from typing import Any, List, Optional, Tuple

import numpy as np

_PADDING = 4  # GST_PADDING


class _Object(c.Structure):
    _fields_ = [("x1", c.c_double), ("y1", c.c_double), ("x2", c.c_double), ("y2", c.c_double), ("score", c.c_double), ("class_id", c.c_int),
                ("has_rotated_box", c.c_int), ("has_mask", c.c_int), ("n_keypoints", c.c_uint),
                ("region", c.c_int), ("track_id", c.c_int64), ("reserved", c.c_void_p * _PADDING)]


class _Region(c.Structure):
    _fields_ = [("x1", c.c_double), ("y1", c.c_double), ("x2", c.c_double), ("y2", c.c_double), ("parent_id", c.c_int), ("n_classes", c.c_uint),
                ("reserved", c.c_void_p * _PADDING)]


class _Segment(c.Structure):
    _fields_ = [("id", c.c_int), ("is_thing", c.c_int), ("category_id", c.c_int), ("object", c.c_int), ("score", c.c_double),
                ("reserved", c.c_void_p * _PADDING)]


class _Line(c.Structure):
    _fields_ = [("name", c.c_char_p), ("x1", c.c_double), ("y1", c.c_double), ("x2", c.c_double), ("y2", c.c_double), ("forward", c.c_int64),
                ("backward", c.c_int64), ("reserved", c.c_void_p * _PADDING)]


class _Zone(c.Structure):
    _fields_ = [("name", c.c_char_p), ("n_corners", c.c_uint), ("inside", c.c_int64), ("entered", c.c_int64), ("left", c.c_int64),
                ("reserved", c.c_void_p * _PADDING)]


class _Crossing(c.Structure):
    _fields_ = [("kind", c.c_int), ("index", c.c_uint), ("track_id", c.c_int64), ("class_id", c.c_int), ("x", c.c_double), ("y", c.c_double),
                ("dwell", c.c_double), ("reserved", c.c_void_p * _PADDING)]


class _Rectangle(c.Structure):
    _fields_ = [("x", c.c_int), ("y", c.c_int), ("w", c.c_int), ("h", c.c_int)]


class _Library:
    """The C functions; loaded once, when the first frame is read."""

    _loaded: Optional["_Library"] = None

    @classmethod
    def get(cls) -> "_Library":
        if cls._loaded is None:
            cls._loaded = cls()
        return cls._loaded

    def __init__(self):
        self.meta = c.CDLL("libgstcaffe2meta-1.0.so.0")  # the plugin has loaded it where a frame carries metadata
        self.glib = c.CDLL("libglib-2.0.so.0")
        self.meta.gst_buffer_get_caffe2_meta.restype = c.c_void_p
        self.meta.gst_caffe2_meta_dup_label.restype = c.c_void_p
        for name in ("mask", "semantic_map", "panoptic_map"):
            getattr(self.meta, "gst_caffe2_meta_get_" + name).restype = c.c_void_p
        self.glib.g_bytes_get_data.restype = c.c_void_p

    def __call__(self, name: str, meta: int, *args: Any) -> Any:
        return getattr(self.meta, "gst_caffe2_meta_" + name)(c.c_void_p(meta), *args)

    def take_string(self, pointer: int) -> str:
        try:
            return c.string_at(pointer).decode()
        finally:
            self.glib.g_free(c.c_void_p(pointer))

    def take_bytes(self, pointer: Optional[int], dtype, shape: Tuple[int, ...]) -> Optional[np.ndarray]:
        if not pointer:
            return None
        try:
            size = c.c_size_t()
            data = self.glib.g_bytes_get_data(c.c_void_p(pointer), c.byref(size))
            return np.frombuffer(c.string_at(data, size.value) if size.value else b"", dtype).reshape(shape)
        finally:
            self.glib.g_bytes_unref(c.c_void_p(pointer))


@dataclasses.dataclass
class Object:
    """One object. box: x1 y1 x2 y2, pixels of the frame, the far edge outside; rotated_box: cx cy width height degrees; keypoints: (K,3)
    float64 x y score; mask: (H,W) bool of the frame; each None where the model has none. region: index of the region that it was seen in; None:
    the whole frame. track_id: of caffe2tracker, the same in all frames; None: no track."""
    label: str
    class_id: int
    score: float
    box: Tuple[float, float, float, float]
    rotated_box: Optional[Tuple[float, float, float, float, float]]
    keypoints: Optional[np.ndarray]
    mask: Optional[np.ndarray]
    region: Optional[int] = None
    track_id: Optional[int] = None


@dataclasses.dataclass
class Segment:
    """One segment of the panoptic map: `id` there; things: class and index of the object; stuff: the semantic head's channel."""
    id: int
    is_thing: bool
    category_id: int
    object: Optional[int]
    score: float


@dataclasses.dataclass
class Region:
    """A part of the frame that the model looked at by itself: its box as an object's; the id of the region-of-interest metadata that it is of;
    (name, score) of a classifier, best first."""
    box: Tuple[float, float, float, float]
    parent_id: Optional[int]
    classes: List[Tuple[str, float]]


@dataclasses.dataclass
class Line:
    """A line that caffe2tracker counts at, from x1 y1 to x2 y2 in pixels, and what crossed it so far: forward is from its left to its right, as
    seen from the first point to the second."""
    name: str
    points: Tuple[float, float, float, float]
    forward: int
    backward: int


@dataclasses.dataclass
class Zone:
    """A polygon that caffe2tracker counts in, corners x y in pixels: tracks in it now, and those that entered and left it so far."""
    name: str
    corners: List[Tuple[float, float]]
    inside: int
    entered: int
    left: int


@dataclasses.dataclass
class Crossing:
    """A track that crossed in this frame. kind: "forward" or "backward" of a line, "entered" or "left" of a zone; name: the line's or zone's;
    place: where the track is now; dwell: seconds spent in the zone that it left."""
    kind: str
    name: str
    track_id: int
    label: str
    place: Tuple[float, float]
    dwell: float


# By GstCaffe2CrossingKind.
_KINDS = "forward", "backward", "entered", "left"

# Why the model did not look at a frame, by GstCaffe2Look.
_LOOKS = "inferred", "interval", "overrun", "late", "gap"


@dataclasses.dataclass
class Frame:
    """What a model saw in a frame of width x height pixels. inferred: whether it looked, so that no objects means that there is nothing;
    look: "inferred", or why it did not: "interval", "overrun", "late", "gap". regions: empty where it looked at the whole frame. lines, zones,
    crossings: of caffe2tracker. semantic, panoptic: (height,width) int32, or None. classes: (name, score) of a classifier, best first."""
    inferred: bool
    width: int
    height: int
    objects: List[Object]
    segments: List[Segment]
    semantic: Optional[np.ndarray]
    panoptic: Optional[np.ndarray]
    classes: List[Tuple[str, float]]
    look: str = "inferred"
    regions: List[Region] = dataclasses.field(default_factory=list)
    lines: List[Line] = dataclasses.field(default_factory=list)
    zones: List[Zone] = dataclasses.field(default_factory=list)
    crossings: List[Crossing] = dataclasses.field(default_factory=list)


def _doubles(count: int) -> List[c.c_double]:
    return [c.c_double() for _ in range(count)]


def _read_object(lib: _Library, meta: int, index: int, size: Tuple[int, int], masks: bool, threshold: float) -> Object:
    o = _Object()
    lib("get_object", meta, index, c.byref(o))
    rotated, keypoints, mask = None, None, None
    if o.has_rotated_box:
        values = _doubles(5)
        lib("get_rotated_box", meta, index, *map(c.byref, values))
        rotated = tuple(v.value for v in values)
    if o.n_keypoints:
        keypoints = np.empty((o.n_keypoints, 3))
        for k, row in enumerate(keypoints):
            values = _doubles(3)
            lib("get_keypoint", meta, index, k, *map(c.byref, values))
            row[:] = [v.value for v in values]
    if o.has_mask and masks:
        rect = _Rectangle()
        data = lib("get_mask", meta, index, c.c_double(threshold), c.byref(rect))
        mask = np.zeros(size, bool)
        mask[rect.y:rect.y + rect.h, rect.x:rect.x + rect.w] = lib.take_bytes(data, np.uint8, (rect.h, rect.w)) > 0
    label = lib.take_string(lib("dup_label", meta, o.class_id))
    return Object(label, o.class_id, o.score, (o.x1, o.y1, o.x2, o.y2), rotated, keypoints, mask,
                  o.region if o.region >= 0 else None, o.track_id if o.track_id >= 0 else None)


def _read_class(lib: _Library, function: str, meta: int, *index: int) -> Tuple[str, float]:
    class_id, score = c.c_int(), c.c_double()
    lib(function, meta, *index, c.byref(class_id), c.byref(score))
    return lib.take_string(lib("dup_label", meta, class_id)), score.value


def _read_region(lib: _Library, meta: int, index: int) -> Region:
    r = _Region()
    lib("get_region", meta, index, c.byref(r))
    return Region((r.x1, r.y1, r.x2, r.y2), r.parent_id if r.parent_id >= 0 else None,
                  [_read_class(lib, "get_region_class", meta, index, rank) for rank in range(r.n_classes)])


def _read_line(lib: _Library, meta: int, index: int) -> Line:
    line = _Line()
    lib("get_line", meta, index, c.byref(line))
    return Line(line.name.decode(), (line.x1, line.y1, line.x2, line.y2), line.forward, line.backward)


def _read_zone(lib: _Library, meta: int, index: int) -> Zone:
    zone = _Zone()
    lib("get_zone", meta, index, c.byref(zone))
    corners = []
    for i in range(zone.n_corners):
        values = _doubles(2)
        lib("get_zone_corner", meta, index, i, *map(c.byref, values))
        corners.append((values[0].value, values[1].value))
    return Zone(zone.name.decode(), corners, zone.inside, zone.entered, zone.left)


def _read_crossing(lib: _Library, meta: int, index: int, lines: List[Line], zones: List[Zone]) -> Crossing:
    crossing = _Crossing()
    lib("get_crossing", meta, index, c.byref(crossing))
    kind = _KINDS[crossing.kind]
    places = lines if kind in ("forward", "backward") else zones
    return Crossing(kind, places[crossing.index].name, crossing.track_id, lib.take_string(lib("dup_label", meta, crossing.class_id)),
                    (crossing.x, crossing.y), crossing.dwell)


def read(buffer: Any, *, masks: bool = True, mask_threshold: float = 0.5) -> Optional[Frame]:
    """What the first model saw in a Gst.Buffer, in pixels of the frame as it is now; None where the buffer carries nothing.

    masks: whether to compute them. mask_threshold: probability from which a pixel belongs to an object.
    """
    try:
        lib = _Library.get()
    except OSError:  # not installed, and no plugin in this process has loaded it: nobody can have attached anything
        return None
    meta = lib.meta.gst_buffer_get_caffe2_meta(c.c_void_p(hash(buffer)))  # PyGObject's hash of a boxed value is its address
    if not meta:
        return None
    width, height = c.c_int(), c.c_int()
    lib("get_frame_size", meta, c.byref(width), c.byref(height))
    size = height.value, width.value
    objects = [_read_object(lib, meta, i, size, masks, mask_threshold) for i in range(lib("get_n_objects", meta))]
    segments = []
    for i in range(lib("get_n_segments", meta)):
        s = _Segment()
        lib("get_segment", meta, i, c.byref(s))
        segments.append(Segment(s.id, bool(s.is_thing), s.category_id, s.object if s.is_thing else None, s.score))
    classes = [_read_class(lib, "get_class", meta, i) for i in range(lib("get_n_classes", meta))]
    lines = [_read_line(lib, meta, i) for i in range(lib("get_n_lines", meta))]
    zones = [_read_zone(lib, meta, i) for i in range(lib("get_n_zones", meta))]
    return Frame(bool(lib("get_inferred", meta)), width.value, height.value, objects, segments,
                 lib.take_bytes(lib("get_semantic_map", meta), np.int32, size), lib.take_bytes(lib("get_panoptic_map", meta), np.int32, size),
                 classes, _LOOKS[lib("get_look", meta)], [_read_region(lib, meta, i) for i in range(lib("get_n_regions", meta))],
                 lines, zones, [_read_crossing(lib, meta, i, lines, zones) for i in range(lib("get_n_crossings", meta))])
