"""The tracker, judged by MOTA and IDF1 (motmetrics) where it is known who is who."""
import os
import subprocess
import sys

import numpy as np
import pytest

from helpers import BUILD, ROOT

mm = pytest.importorskip("motmetrics")
iou = pytest.importorskip("pycocotools.mask").iou
TRACKER = BUILD / "bin" / "mot_tracker"
if not TRACKER.exists():
    pytest.skip("the plugin is not built", allow_module_level=True)
sys.path.insert(0, str(ROOT / "tools" / "python"))
from demo_model.scenes import Scene  # noqa: E402
from demo_model.writing import FRAMES_PER_SECOND, write_video  # noqa: E402

WIDTH, HEIGHT = 640, 360


def walkers(seed, frames, count, speed):
    """Truth of shapes on straight ways that bounce off the frame's edges, as rows of (id, x1, y1, x2, y2, visible part) a frame. The near ones,
    with the lower ids, hide the far ones."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(30, 90, (count, 2))
    at, way = rng.uniform(0, [WIDTH, HEIGHT], (count, 2)), rng.uniform(-speed, speed, (count, 2))
    truth = []
    for frame in range(frames):
        place = np.abs((at + way * frame) % (2 * np.array([WIDTH, HEIGHT])))
        place = np.where(place > [WIDTH, HEIGHT], 2 * np.array([WIDTH, HEIGHT]) - place, place)
        owner, rows = np.full((HEIGHT, WIDTH), -1), []
        for i in range(count)[::-1]:
            (x1, y1), (x2, y2) = np.maximum(place[i] - size[i] / 2, 0), np.minimum(place[i] + size[i] / 2, [WIDTH, HEIGHT])
            owner[int(y1):int(np.ceil(y2)), int(x1):int(np.ceil(x2))] = i
            rows.append((i, x1, y1, x2, y2))
        truth.append([(i, x1, y1, x2, y2, (owner == i).sum() / max(1, (x2 - x1) * (y2 - y1))) for i, x1, y1, x2, y2 in rows])
    return truth


def detections(truth, seed, jitter=0.03, misses=0.05, false_alarms=0.1):
    """What a fair detector makes of it: boxes a little off, scores by how much can be seen, nothing of what is hidden, some misses and false
    alarms. Rows of (class, x1, y1, x2, y2, score) a frame."""
    rng = np.random.default_rng(seed)
    seen = []
    for rows in truth:
        found = []
        for _, x1, y1, x2, y2, visible in rows:
            if visible < 0.3 or rng.random() < misses:
                continue
            wobble = rng.normal(0, jitter, 4) * [x2 - x1, y2 - y1, x2 - x1, y2 - y1]
            found.append((0, *(np.array([x1, y1, x2, y2]) + wobble), np.clip(0.2 + 0.8 * visible + rng.normal(0, 0.05), 0.05, 0.99)))
        for _ in range(rng.poisson(false_alarms)):
            x, y, w, h = *rng.uniform(0, [WIDTH - 50, HEIGHT - 50]), *rng.uniform(20, 50, 2)
            found.append((0, x, y, x + w, y + h, rng.uniform(0.1, 0.65)))
        seen.append(found)
    return seen


def distances(boxes, guesses):
    """1 - IoU of each pair of boxes (x, y, width, height); not a number where they are too far apart to belong together."""
    if len(boxes) == 0 or len(guesses) == 0:
        return np.empty((len(boxes), len(guesses)))
    overlap = iou(guesses, boxes, np.zeros(len(boxes))).T
    return np.where(overlap >= 0.5, 1 - overlap, np.nan)


def figures_of(truth, tracks):
    """MOTA and IDF1 of tracks, rows of (id, x1, y1, x2, y2) a frame, at an IoU of one half; of objects of which nearly nothing shows nobody
    asks."""
    accumulator = mm.MOTAccumulator(auto_id=True)
    for rows, found in zip(truth, tracks):
        rows = [row for row in rows if row[5] >= 0.3]
        boxes = np.array([[x1, y1, x2 - x1, y2 - y1] for _, x1, y1, x2, y2, _ in rows]).reshape(-1, 4)
        guesses = np.array([[x1, y1, x2 - x1, y2 - y1] for _, x1, y1, x2, y2 in found]).reshape(-1, 4)
        accumulator.update([row[0] for row in rows], [int(row[0]) for row in found], distances(boxes, guesses))
    summary = mm.metrics.create().compute(accumulator, metrics=["mota", "idf1", "num_switches"], name="all")
    print("MOTA %.3f, IDF1 %.3f, %d switches" % tuple(summary.loc["all"]))
    return summary.loc["all", "mota"], summary.loc["all", "idf1"]


def judge(truth, seen, interval=1):
    """figures_of the tracker's boxes in every frame, those that it expects among them."""
    lines = ["%d,%d,%f,%f,%f,%f,%f" % (frame, *row) for frame, rows in enumerate(seen) for row in rows]
    result = subprocess.run([TRACKER, str(WIDTH), str(HEIGHT), str(len(truth)), str(interval)], input="\n".join(lines), capture_output=True,
                            text=True, check=True)
    tracks = [[] for _ in truth]
    for line in result.stdout.splitlines():
        frame, *row = line.split(",")
        tracks[int(frame)].append([float(value) for value in row])
    return figures_of(truth, tracks)


def everyone(truth):
    return [[(0, *row[1:5], 0.95) for row in rows] for rows in truth]


def test_objects_apart_are_followed_without_a_fault_but_the_first_frame():
    truth = [[(i, 40 + 120 * i + 0.5 * f, 50, 90 + 120 * i + 0.5 * f, 100, 1.0) for i in range(4)] for f in range(100)]
    mota, idf1 = judge(truth, everyone(truth))
    assert mota == pytest.approx(0.99) and idf1 > 0.99


def test_the_measure_sees_identities_that_are_swapped():
    """Two tracks side by side whose detections are exchanged by a jump: the tracker must lose them, and the figures say so."""
    truth = [[(i, 100 + 200 * (i ^ (f >= 50)), 50, 150 + 200 * (i ^ (f >= 50)), 100, 1.0) for i in range(2)] for f in range(100)]
    mota, idf1 = judge(truth, everyone(truth))
    assert mota < 0.985 and idf1 < 0.6


@pytest.mark.parametrize("interval, least_mota, least_idf1", [(1, 0.92, 0.94), (5, 0.9, 0.92)])
def test_crossing_and_hidden_shapes(interval, least_mota, least_idf1):
    figures = []
    for seed in range(3):
        truth = walkers(seed, 300, 8, 2.5)
        figures.append(judge(truth, detections(truth, seed + 100), interval))
    mota, idf1 = np.mean(figures, axis=0)
    print("interval %d: MOTA %.3f, IDF1 %.3f" % (interval, mota, idf1))
    assert mota > least_mota and idf1 > least_idf1


@pytest.mark.parametrize("interval, least_mota, least_idf1", [(1, 0.92, 0.94), (5, 0.88, 0.92)])
def test_rendered_scenes(interval, least_mota, least_idf1):
    """The demonstration's own scenes, seen by a fair detector."""
    figures = []
    for seed in range(2):
        scene = Scene(seed, WIDTH, HEIGHT, objects=(5, 8))
        truth = [[(v.number, *v.box, 1.0) for v in scene.render(f)[1]] for f in range(0, 120)]
        figures.append(judge(truth, detections(truth, seed), interval))
    mota, idf1 = np.mean(figures, axis=0)
    print("interval %d: MOTA %.3f, IDF1 %.3f" % (interval, mota, idf1))
    assert mota > least_mota and idf1 > least_idf1


PROGRAM = """
import sys
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp
from caffe2rt import meta
Gst.init(None)
pipeline = Gst.parse_launch("filesrc location=%s ! decodebin ! videoconvert ! caffe2inference model=%s threshold=0.3 inference-interval=%s ! "
                            "caffe2tracker drop-untracked=true ! appsink name=sink sync=false" % tuple(sys.argv[1:]))
pipeline.set_state(Gst.State.PLAYING)
sink = pipeline.get_by_name("sink")
frame = 0
while sample := sink.pull_sample():
    for found in meta.read(sample.get_buffer(), masks=False).objects:
        print(frame, found.track_id, *found.box)
    frame += 1
pipeline.set_state(Gst.State.NULL)
"""


@pytest.mark.parametrize("interval, least_mota, least_idf1", [(1, 0.95, 0.96), (5, 0.92, 0.94)])
def test_the_demonstration_model_on_video(tmp_path, interval, least_mota, least_idf1):
    """The whole way: a video is decoded, the net looks at every frame or every fifth, the tracker gives identities and carries on."""
    pytest.importorskip("gi")
    video, seconds, seed = tmp_path / "scene.mp4", 4, 37
    write_video(str(video), seconds, seed, WIDTH, HEIGHT)
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "python"), "GST_PLUGIN_PATH": str(BUILD / "lib" / "gstreamer-1.0"),
                   "GST_REGISTRY": str(tmp_path / "registry")}
    result = subprocess.run([sys.executable, "-c", PROGRAM, str(video), str(ROOT / "models" / "demo"), str(interval)], capture_output=True,
                            text=True, env=environment)
    assert result.returncode == 0, result.stderr
    scene = Scene(seed, WIDTH, HEIGHT, objects=(4, 8))
    truth = [[(v.number, *v.box, 1.0) for v in scene.render(f)[1]] for f in range(seconds * FRAMES_PER_SECOND)]
    tracks = [[] for _ in truth]
    for line in result.stdout.splitlines():
        frame, *row = line.split()
        tracks[int(frame)].append([float(value) for value in row])
    mota, idf1 = figures_of(truth, tracks)
    assert mota > least_mota and idf1 > least_idf1
