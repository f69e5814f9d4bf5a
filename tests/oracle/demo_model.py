#!/usr/bin/env python3
"""Evaluates the demonstration model in the original Caffe2 and records its average precision in models/demo/original.json.

    /opt/gst-caffe2/tests/bin/python tests/oracle/demo_model.py --oracle CHROOT

CHROOT as for compare.py beside this file; needs root, and the build's Python package in build/release/python.
"""
import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image
from whole_nets import run_original

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "release" / "python"), str(ROOT / "tools" / "python")]
import torch  # noqa: E402
from caffe2rt import Boxes, Instances  # noqa: E402
from caffe2rt.evaluate.coco import CocoMetric, load_annotations  # noqa: E402
from caffe2rt.predict import Predictor  # noqa: E402
from demo_model import inference, writing  # noqa: E402

MODEL = ROOT / "models" / "demo"


def feeds_of(picture, predictor):
    """The net's inputs for a picture, and its height and width in them."""
    pixels = predictor.mapper(picture)["image"]
    height, width = pixels.shape[1:]
    padded = np.zeros((1, 3, -(-height // 16) * 16, -(-width // 16) * 16), np.float32)
    padded[0, :, :height, :width] = pixels
    return {"data": padded, "im_info": np.array([[height, width, 1]], np.float32)}


def instances_of(blobs, feeds, picture):
    height, width = feeds["im_info"][0, :2]
    boxes = torch.from_numpy(blobs["bbox_nms"]) * torch.tensor([picture.width / width, picture.height / height] * 2, dtype=torch.float32)
    classes = blobs["class_nms"].astype(int)
    masks = torch.from_numpy(blobs["mask_fcn_probs"])[torch.arange(len(classes)), classes]
    size = picture.height, picture.width
    return Instances(size, pred_boxes=Boxes(boxes.numpy()), scores=blobs["score_nms"], pred_classes=classes,
                     pred_masks=inference.paste(masks, boxes, size).numpy())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oracle", required=True)
    p.add_argument("--scenes", type=int, default=60)
    a = p.parse_args()
    predictor = Predictor(MODEL)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        writing.write_data_set(folder, a.scenes)
        metric = CocoMetric(load_annotations(folder / "instances.json"))
        listed = json.loads((folder / "instances.json").read_text())["images"]
        pictures = {"%04d" % i["id"]: Image.open(folder / "images" / i["file_name"]).convert("RGB") for i in listed}
        cases = {name: feeds_of(picture, predictor) for name, picture in pictures.items()}
        for name, blobs in run_original(a.oracle, MODEL, cases).items():
            metric.add(int(name), None, {"instances": instances_of(blobs, cases[name], pictures[name])})
        record = {"scenes": a.scenes, "pictures": writing.fingerprint(folder)}
        record.update((kind, metrics["AP"]) for kind, metrics in metric.result().items())
    (MODEL / "original.json").write_text(json.dumps(record, indent=1) + "\n")
    print(record)


if __name__ == "__main__":
    main()
