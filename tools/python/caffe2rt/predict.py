"""Looks at picture files with a model: detectron2's DefaultPredictor (engine/defaults.py), with Pillow; or torchvision's transforms."""
from __future__ import annotations

import pathlib
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from PIL import Image, ImageDraw

from .model import Caffe2Model
from .structures import Instances


def _taps(size: int, to: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each of `to` pixels: the two of `size` that it lies between, and the second one's weight."""
    place = np.maximum((np.arange(to, dtype=np.float32) + np.float32(0.5)) * np.float32(size / to) - np.float32(0.5), 0)
    low = np.minimum(place.astype(int), size - 1)
    return low, np.minimum(low + 1, size - 1), np.minimum(place - low, 1).astype(np.float32)


def interpolate(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H,W,C) to (height,width,C) float32 as torch.nn.functional.interpolate does it bilinearly, without align_corners: without a filter where
    it shrinks, and without rounding."""
    low, high, weight = _taps(pixels.shape[0], height)
    weight = weight[:, None, None]
    rows = pixels[low] * (1 - weight) + pixels[high] * weight
    low, high, weight = _taps(pixels.shape[1], width)
    weight = weight[:, None]
    return rows[:, low] * (1 - weight) + rows[:, high] * weight


class PictureMapper:
    """Pictures as a net wants them: by its own arguments, else detectron2's defaults.

    min_size, max_size: short side of the net's input and bound on its long side, pixels.
    """

    def __init__(self, predict_net, *, min_size: Optional[int] = None, max_size: Optional[int] = None):
        arguments = {a.name: a for a in predict_net.arg}

        def number(given, name, default):
            return given if given is not None else arguments[name].i if name in arguments else default
        self.min_size, self.max_size = number(min_size, "min_size_test", 800), number(max_size, "max_size_test", 1333)
        if self.min_size < 0 or self.max_size < 0:
            raise ValueError("expected sizes of at least 0 pixels, got %d and %d" % (self.min_size, self.max_size))
        self._bilinear = "resize_mode" in arguments and arguments["resize_mode"].s == b"bilinear"
        self._rgb = "input_format" in arguments and arguments["input_format"].s == b"RGB"

    def _size(self, width: int, height: int) -> Tuple[int, int]:
        """ResizeShortestEdge, or torchvision's: width and height. A min_size of 0: as they are."""
        if self.min_size == 0:
            return width, height
        scale = self.min_size / min(width, height)
        if self._bilinear:
            scale = min(scale, self.max_size / max(width, height))
            return max(1, int(width * scale)), max(1, int(height * scale))
        new_width, new_height = (scale * width, self.min_size) if height < width else (self.min_size, scale * height)
        if max(new_width, new_height) > self.max_size:  # scaled once more, as detectron2 does: it may round otherwise
            scale = self.max_size / max(new_width, new_height)
            new_width, new_height = new_width * scale, new_height * scale
        return max(1, int(new_width + 0.5)), max(1, int(new_height + 0.5))

    def __call__(self, picture: Image.Image) -> Dict[str, Any]:
        """A dict of `image` (3,H,W), uint8 or float32, in the model's channel order, and `height`, `width` of the picture."""
        width, height = self._size(*picture.size)
        if self._bilinear:
            resized = interpolate(np.asarray(picture.convert("RGB")), height, width)
        else:
            resized = np.asarray(picture.convert("RGB").resize((width, height), Image.BILINEAR))
        pixels = resized if self._rgb else resized[:, :, ::-1]
        return {"image": np.ascontiguousarray(pixels.transpose(2, 0, 1)), "height": picture.height, "width": picture.width}


class Predictor:
    """A model folder and how its net wants pictures: by the net's own arguments, else detectron2's defaults.

    min_size, max_size: short side of the net's input and bound on its long side, pixels. device, precision: as Caffe2Model's.
    """

    def __init__(self, folder, *, min_size: Optional[int] = None, max_size: Optional[int] = None, threads: int = 0, device: str = "cpu",
                 precision: str = "auto"):
        self.model = Caffe2Model.load_protobuf(folder, threads=threads, device=device, precision=precision)
        self.mapper = PictureMapper(self.model.predict_net, min_size=min_size, max_size=max_size)
        labels = pathlib.Path(folder) / "labels.txt"  # behind a tab, a class's threshold
        lines = labels.read_text(encoding="utf-8").split("\n") if labels.exists() else []
        self.labels: List[str] = [line.split("\t")[0].strip() for line in lines]

    def __call__(self, picture: Image.Image) -> Dict[str, Any]:
        """What Caffe2Model.predict returns for one image, in pixels of the picture."""
        return self.model.predict([self.mapper(picture)])[0]

    def label(self, class_id: int) -> str:
        name = self.labels[class_id] if class_id < len(self.labels) else ""
        return name or "class %d" % class_id


def _colour(class_id: int) -> Tuple[int, int, int]:
    """A steady colour a class: hues a golden angle apart."""
    hue = class_id * 137.508 % 360
    return Image.new("HSV", (1, 1), (int(hue / 360 * 255), 190, 235)).convert("RGB").getpixel((0, 0))


def draw(picture: Image.Image, instances: Instances, label) -> Image.Image:
    """A copy of the picture with masks, boxes, names, scores and keypoints. label(class_id) gives a name."""
    canvas = np.asarray(picture.convert("RGB")).astype(np.float32)
    if instances.has("pred_masks"):
        for mask, class_id in zip(instances.pred_masks, instances.pred_classes):
            canvas[mask] = 0.55 * canvas[mask] + 0.45 * np.array(_colour(class_id))
    drawn = Image.fromarray(canvas.astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for i in range(len(instances)):
        class_id = int(instances.pred_classes[i])
        colour = _colour(class_id)
        box = instances.pred_boxes.tensor[i].tolist()
        outline = _corners(box) if len(box) == 5 else [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]
        pen.line(outline + outline[:1], fill=colour, width=2)
        text = "%s %.2f" % (label(class_id), instances.scores[i])
        left, top, right, bottom = pen.textbbox((0, 0), text)
        x = min(max(0, outline[0][0]), max(0, picture.width - right))
        y = outline[0][1] - bottom - 2 if outline[0][1] > bottom + 2 else outline[0][1] + 2
        pen.rectangle((x, y, x + right, y + bottom), fill=colour)
        pen.text((x, y), text, fill="black")
        if instances.has("pred_keypoints"):
            for kx, ky, _ in instances.pred_keypoints[i].tolist():
                pen.ellipse((kx - 2, ky - 2, kx + 2, ky + 2), fill=colour)
    return drawn


def _corners(box: List[float]) -> List[Tuple[float, float]]:
    cx, cy, w, h, angle = box
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return [(cx + x * c + y * s, cy - x * s + y * c) for x, y in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))]
