"""Scenes as files: a data set in COCO's format, or a video."""
import hashlib
import json
import pathlib
import subprocess

import cv2
import numpy as np
from tqdm import tqdm

from .scenes import CLASSES, Scene

FRAMES_PER_SECOND = 30
_SECONDS_A_SCENE = 4


def _run_lengths(mask):
    """COCO's uncompressed RLE of a (H,W) bool: lengths of runs down the columns, the first of zeros."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)), [mask.size]])
    return {"size": list(mask.shape), "counts": np.diff(edges).tolist()}


def write_data_set(folder, count, first_seed=0):
    """Writes `count` scenes into folder/images/*.png and folder/instances.json; category ids are class ids plus 1."""
    folder = pathlib.Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in tqdm(range(count), unit="scene", disable=None):
        scene = Scene(first_seed + i)
        picture, visible = scene.render()
        name = "%06d.png" % i
        if not cv2.imwrite(str(folder / "images" / name), picture):
            raise OSError("%s: cannot be written" % (folder / "images" / name))
        images.append({"id": i, "file_name": name, "width": scene.width, "height": scene.height})
        for o in visible:
            x1, y1, x2, y2 = o.box
            annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": o.class_id + 1, "bbox": [x1, y1, x2 - x1, y2 - y1],
                                "area": int(o.mask.sum()), "iscrowd": 0, "segmentation": _run_lengths(o.mask)})
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    (folder / "instances.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def fingerprint(folder):
    """Of a data set's pictures: other versions of OpenCV may draw them a little differently."""
    digest = hashlib.sha256()
    for file in sorted(pathlib.Path(folder, "images").iterdir()):
        digest.update(cv2.imread(str(file)).tobytes())
    return digest.hexdigest()


def write_video(file, seconds, first_seed=0, width=640, height=360):
    """Writes an H.264 MP4 of scenes, one every four seconds, by gst-launch-1.0."""
    parse = "rawvideoparse format=bgr width=%d height=%d framerate=%d/1" % (width, height, FRAMES_PER_SECOND)
    pipeline = "fdsrc ! %s ! videoconvert ! x264enc speed-preset=veryfast ! h264parse ! mp4mux ! filesink location=%s" % (parse, file)
    scene = None
    with subprocess.Popen(["gst-launch-1.0", "-q", *pipeline.split(" ")], stdin=subprocess.PIPE) as process:
        for i in tqdm(range(int(seconds * FRAMES_PER_SECOND)), unit="frame", disable=None):
            time = i % (_SECONDS_A_SCENE * FRAMES_PER_SECOND)
            if time == 0:
                scene = Scene(first_seed + i // (_SECONDS_A_SCENE * FRAMES_PER_SECOND), width, height, objects=(4, 8))
            process.stdin.write(scene.render(time)[0].tobytes())
    if process.returncode:
        raise OSError("%s: gst-launch-1.0 failed" % file)
