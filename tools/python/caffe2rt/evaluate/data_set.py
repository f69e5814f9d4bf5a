"""A folder of images with what is known of them, and what models make of it."""
from __future__ import annotations

import pathlib
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from PIL import Image, ImageOps
from tqdm import tqdm

from .coco import CocoMetric, load_annotations
from .panoptic import PanopticMetric, load_panoptic
from .semantic import SemanticMetric

Result = Dict[str, Dict[str, float]]  # {kind: {metric: percent}}
Model = Callable[[Image.Image], Dict[str, Any]]  # what Caffe2Model.predict returns for one image, in pixels of the picture


class DataSet:
    """A folder of images and what is known of them: `annotations` (COCO's JSON), `sem_seg_root` (PNGs of class ids), `panoptic_json` and
    `panoptic_root` (COCO's panoptic format; default: the folder of the JSON's name beside it). keypoint_sigmas: see coco.average_precision.

    The images are those of the JSON, else all that lie in the folder. Raises RuntimeError that names the file.
    """

    def __init__(self, images, annotations=None, *, sem_seg_root=None, ignore_label: int = 255, panoptic_json=None, panoptic_root=None,
                 keypoint_sigmas: Optional[Sequence[float]] = None):
        self.folder = pathlib.Path(images)
        coco = load_annotations(annotations) if annotations else None
        panoptic = load_panoptic(panoptic_json) if panoptic_json else None
        self._makers: List[Callable[[Sequence[str]], Any]] = []
        if coco:
            self._makers.append(lambda labels: CocoMetric(coco, labels, keypoint_sigmas))
        if sem_seg_root:
            self._makers.append(lambda _: SemanticMetric(sem_seg_root, ignore_label))
        if panoptic:
            self._makers.append(lambda _: PanopticMetric(panoptic, panoptic_root or pathlib.Path(panoptic_json).with_suffix("")))
        listed = coco.dataset["images"] if coco else panoptic["images"] if panoptic else None
        if listed is not None:
            self.images: List[Tuple[Any, pathlib.Path]] = sorted(((i["id"], pathlib.Path(i["file_name"])) for i in listed))
        else:
            known = Image.registered_extensions()
            files = sorted(f for f in self.folder.rglob("*") if f.suffix.lower() in known) if self.folder.is_dir() else []
            self.images = list(enumerate(f.relative_to(self.folder) for f in files))
        if not self.images:
            raise RuntimeError("%s: no images to look at" % (annotations or panoptic_json or images))

    def metrics(self, labels: Sequence[str]) -> List[Any]:
        """New ones of each kind of truth that there is. labels: how the model names its classes, where it does."""
        return [make(labels) for make in self._makers]

    def picture(self, file: pathlib.Path) -> Image.Image:
        try:
            return ImageOps.exif_transpose(Image.open(self.folder / file)).convert("RGB")
        except OSError as e:
            raise RuntimeError("%s: cannot be read as an image: %s" % (self.folder / file, e)) from None


def evaluate(models: Mapping[str, Model], data: DataSet) -> Dict[str, Result]:
    """The metrics of each model, by its name. On a terminal a bar shows progress and the time that is left."""
    metrics = {name: data.metrics(getattr(model, "labels", ())) for name, model in models.items()}
    for image_id, file in tqdm(data.images, unit="image", disable=None):
        picture = data.picture(file)
        for name, model in models.items():
            output = model(picture)
            for metric in metrics[name]:
                metric.add(image_id, file, output)
    return {name: {kind: numbers for metric in metrics[name] for kind, numbers in metric.result().items()} for name in models}
