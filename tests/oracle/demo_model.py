#!/usr/bin/env python3
"""Evaluates the demonstration model in the original Caffe2 and records its average precision in models/demo/original.json.

    /opt/gst-caffe2/tests/bin/python tests/oracle/demo_model.py --oracle CHROOT

CHROOT as for compare.py beside this file; needs root, and the build's Python package in build/release/python.
"""
import argparse
import contextlib
import io
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
from caffe2rt import Boxes, Instances, evaluate  # noqa: E402
from caffe2rt.predict import Predictor  # noqa: E402
from demo_model import inference, writing  # noqa: E402

MODEL = ROOT / "models" / "demo"


def feeds_of(picture, predictor):
    """The net's inputs for a picture, and its height and width in them."""
    pixels = np.asarray(picture.resize(predictor._size(*picture.size), Image.BILINEAR))[:, :, ::-1].transpose(2, 0, 1)
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
        with contextlib.redirect_stdout(io.StringIO()):
            coco = evaluate.load_annotations(folder / "instances.json")
        pictures = {"%04d" % i: Image.open(folder / "images" / image["file_name"]).convert("RGB") for i, image in coco.imgs.items()}
        cases = {name: feeds_of(picture, predictor) for name, picture in pictures.items()}
        results = []
        for name, blobs in run_original(a.oracle, MODEL, cases).items():
            results += evaluate.to_results(instances_of(blobs, cases[name], pictures[name]), int(name), sorted(coco.getCatIds()))
        record = {"scenes": a.scenes, "pictures": writing.fingerprint(folder)}
        for kind in ("bbox", "segm"):
            with contextlib.redirect_stdout(io.StringIO()):
                record[kind] = evaluate.average_precision(coco, results, kind)["AP"]
    (MODEL / "original.json").write_text(json.dumps(record, indent=1) + "\n")
    print(record)


if __name__ == "__main__":
    main()
