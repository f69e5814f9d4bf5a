"""caffe2rt.meta: the metadata of frames in a PyGObject program with an appsink."""
import os
import subprocess
import sys

import pytest

from helpers import BUILD, random_parameters, small_config

pytest.importorskip("gi")
PLUGIN = BUILD / "lib" / "gstreamer-1.0"
if not PLUGIN.is_dir():
    pytest.skip("the plugin is not built", allow_module_level=True)
from caffe2rt.convert.model import build_model  # noqa: E402
from caffe2rt.convert.write import write_model  # noqa: E402

PROGRAM = """
import sys
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp
from caffe2rt import meta
Gst.init(None)
pipeline = Gst.parse_launch("videotestsrc num-buffers=2 pattern=smpte ! video/x-raw,width=128,height=96 ! videoconvert ! "
                            "%s appsink name=sink sync=false" % sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
sink = pipeline.get_by_name("sink")
while sample := sink.pull_sample():
    frame = meta.read(sample.get_buffer())
    if frame is None:
        print("nothing")
        continue
    print("frame", frame.inferred, frame.width, frame.height, len(frame.objects), len(frame.segments), frame.semantic is not None,
          frame.panoptic is not None)
    print("look", frame.look, len(frame.regions), *[r.box for r in frame.regions])
    for line in frame.lines:
        print("line", line.name, line.points, line.forward, line.backward)
    for zone in frame.zones:
        print("zone", zone.name, zone.corners, zone.inside, zone.entered, zone.left)
    for crossing in frame.crossings:
        print("crossing", crossing.kind, crossing.name, crossing.track_id, crossing.label)
    print("tracks", *[found.track_id for found in frame.objects])
    for found in frame.objects:
        print("object", found.label, *found.box, found.score, found.mask.shape, found.mask.dtype, found.mask.sum() > 0)
pipeline.set_state(Gst.State.NULL)
"""


def run(elements, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "python"), "GST_PLUGIN_PATH": str(PLUGIN), "GST_REGISTRY": str(tmp_path / "registry")}
    result = subprocess.run([sys.executable, "-c", PROGRAM, elements], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return [line.split() for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def panoptic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panoptic")
    cfg = small_config(MODEL__META_ARCHITECTURE="PanopticFPN", MODEL__SEM_SEG_HEAD__CONVS_DIM=32)
    write_model(folder, build_model(cfg, random_parameters(cfg)), "net", ["one", "two", "three"])
    return folder


def test_frames_say_what_was_seen(panoptic, tmp_path):
    lines = run("caffe2inference model=%s threshold=0.2 !" % panoptic, tmp_path)
    frames = [line for line in lines if line[0] == "frame"]
    assert len(frames) == 2
    for _, inferred, width, height, objects, segments, semantic, panoptic_map in frames:
        assert (inferred, width, height, semantic, panoptic_map) == ("True", "128", "96", "True", "True")
        assert int(objects) > 0 and int(segments) > 0
    found = [line for line in lines if line[0] == "object"]
    assert len(found) == sum(int(f[4]) for f in frames)
    for _, label, x1, y1, x2, y2, score, *mask in found:
        assert label in ("one", "two", "three")
        assert 0 <= float(x1) < float(x2) <= 128 and 0 <= float(y1) < float(y2) <= 96 and 0.2 <= float(score) <= 1
        assert mask[:3] == ["(96,", "128)", "bool"]


def test_coordinates_follow_the_frame(panoptic, tmp_path):
    inference = "caffe2inference model=%s threshold=0.2 !" % panoptic
    before = [line for line in run(inference, tmp_path) if line[0] == "object"]
    after = [line for line in run(inference + " videoscale ! video/x-raw,width=64,height=192 !", tmp_path) if line[0] == "object"]
    assert len(after) == len(before)
    for old, new in zip(before, after):
        assert [float(v) for v in new[2:6]] == pytest.approx([float(old[2]) / 2, float(old[3]) * 2, float(old[4]) / 2, float(old[5]) * 2], abs=1e-3)


def test_frames_that_no_model_saw_carry_nothing(tmp_path, panoptic):
    assert run("", tmp_path) == [["nothing"], ["nothing"]]


def test_frames_say_where_the_model_looked_and_why_it_did_not(panoptic, tmp_path):
    lines = run("caffe2inference model=%s roi=32,16,64,48 inference-interval=2 !" % panoptic, tmp_path)
    assert [line for line in lines if line[0] == "look"] == [
        ["look", "inferred", "1", "(32.0,", "16.0,", "96.0,", "64.0)"], ["look", "interval", "0"]]


def test_frames_say_who_is_who_and_what_was_counted(panoptic, tmp_path):
    lines = run("caffe2inference model=%s threshold=0.2 ! caffe2tracker min-hits=1 new-threshold=0 high-threshold=0 anchor=center "
                "lines=gate:0,0,100%%,100%% zones=all:-9,-9,200,-9,200,200,-9,200 !" % panoptic, tmp_path)
    tracks = [line[1:] for line in lines if line[0] == "tracks"]
    assert len(tracks) == 2 and set(tracks[0]) == {str(i + 1) for i in range(len(tracks[0]))} and set(tracks[1]) == set(tracks[0])
    assert [line for line in lines if line[0] == "line"][0] == ["line", "gate", "(0.0,", "0.0,", "128.0,", "96.0)", "0", "0"]
    zones = [line for line in lines if line[0] == "zone"]
    count = str(len(tracks[0]))
    assert zones[0][:2] == ["zone", "all"] and zones[0][-3:] == [count, count, "0"]
    crossings = [line for line in lines if line[0] == "crossing"]
    assert len(crossings) == len(tracks[0]) and crossings[0][1:3] == ["entered", "all"] and crossings[0][4] in ("one", "two", "three")
