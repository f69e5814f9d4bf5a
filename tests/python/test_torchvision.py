"""convert/torchvision_models.py: torchvision's own networks, converted, find what torchvision finds in the same picture."""
import re

import numpy as np
import pytest
from PIL import Image

from caffe2rt.convert.labels import class_names
from caffe2rt.convert.model import build_model, required_parameters
from caffe2rt.convert.torchvision_models import MODELS, config_of, norm_eps_of, to_detectron2
from caffe2rt.convert.write import write_model
from helpers import BUILD
from test_convert import convert

torch = pytest.importorskip("torch")
detection = pytest.importorskip("torchvision.models.detection")
predict = pytest.importorskip("caffe2rt.predict") if (BUILD / "python").is_dir() else None

# Spread of the layers whose outputs are read as logits and parts of boxes.
_SMALL = {"cls_logits": 0.02, "rpn.head.bbox_pred": 0.002, "cls_score": 0.1, "box_predictor.bbox_pred": 0.02, "mask_fcn_logits": 0.2, "bn3": 0.2,
          "kps_score_lowres": 0.2, "bbox_reg": 0.002}
_RETINANET = {"cls_logits": 0.08, "bias": -3}


def spread_out(model, seed=0):
    """Random weights with which proposals, scores and boxes vary."""
    generator = torch.Generator().manual_seed(seed)
    single_stage = hasattr(model, "head")
    with torch.no_grad():
        for name, value in list(model.named_parameters()) + list(model.named_buffers()):
            scale = next((s for key, s in _SMALL.items() if key in name), 1)
            if single_stage and "cls_logits" in name:
                scale = _RETINANET["cls_logits"]
            if name.endswith("running_var"):
                value.fill_(1)
            elif value.dim() == 1 and name.endswith("weight"):
                value.fill_(scale)
            elif value.dim() > 1:
                value.normal_(0, scale * (2 / value[0].numel()) ** 0.5, generator=generator)
            elif value.is_floating_point():
                value.uniform_(-0.05, 0.05, generator=generator)
        if single_stage:
            model.head.classification_head.cls_logits.bias.add_(_RETINANET["bias"])
    return model.eval()


def build(name, **options):
    return spread_out(getattr(detection, name)(weights=None, weights_backbone=None, **options))


def picture(height, width, seed=0):
    """(height,width,3) uint8: coarse noise with fine noise on it."""
    random = np.random.RandomState(seed)
    coarse = random.uniform(0, 255, (-(-height // 16), -(-width // 16), 3)).repeat(16, 0).repeat(16, 1)[:height, :width]
    return np.clip(coarse + random.uniform(-20, 20, coarse.shape), 0, 255).astype(np.uint8)


def parameters_of(model):
    return {k: v.numpy() for k, v in model.state_dict().items()}


def converted(model, name, folder, min_size, max_size, proposals, detections, norm_eps=1e-5):
    """A Predictor of the converted model."""
    parameters = parameters_of(model)
    cfg = config_of(name, parameters, norm_eps)
    cfg.INPUT.update(MIN_SIZE_TEST=min_size, MAX_SIZE_TEST=max_size)
    cfg.MODEL.RPN.update(PRE_NMS_TOPK_TEST=2 * proposals, POST_NMS_TOPK_TEST=proposals)
    cfg.TEST["DETECTIONS_PER_IMAGE"] = detections
    write_model(folder, build_model(cfg, to_detectron2(parameters)), name)
    return predict.Predictor(folder)


def options_of(name, min_size, max_size, proposals, detections):
    """The same for torchvision."""
    options = dict(min_size=min_size, max_size=max_size)
    if "rcnn" in name:
        return dict(options, rpn_pre_nms_top_n_test=2 * proposals, rpn_post_nms_top_n_test=proposals, box_detections_per_img=detections)
    return dict(options, detections_per_img=detections)


def look(model, pixels):
    """What torchvision finds: arrays by its names. Boxes without area are left out, as we do."""
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float() / 255
    with torch.no_grad():
        found = {k: v.numpy() for k, v in model([image])[0].items()}
    boxes = found["boxes"]
    kept = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return {k: v[kept] for k, v in found.items()}


def assert_same(got, expected, name):
    """The bounds that the project promises: boxes within 0.1 pixels, scores within 0.001, masks of an IoU of 0.99."""
    first = 0 if "retinanet" in name else 1  # an R-CNN of torchvision's counts the background
    assert len(got) == len(expected["scores"]) > 3
    np.testing.assert_array_equal(got.pred_classes + first, expected["labels"])
    np.testing.assert_allclose(got.pred_boxes.tensor, expected["boxes"], atol=0.1)
    np.testing.assert_allclose(got.scores, expected["scores"], atol=1e-3)
    if "masks" in expected:
        for mine, probabilities in zip(got.pred_masks, expected["masks"][:, 0]):
            its = probabilities >= 0.5
            assert (mine & its).sum() >= 0.99 * (mine | its).sum()
    if "keypoints" in expected:
        np.testing.assert_allclose(got.pred_keypoints[..., :2], expected["keypoints"][..., :2], atol=0.1)


needs_runtime = pytest.mark.skipif(predict is None, reason="caffe2rt._runtime is not built")


@needs_runtime
@pytest.mark.parametrize("name", MODELS)
def test_finds_what_torchvision_finds(name, tmp_path):
    # Is made larger by a factor that is no whole number, is padded, and p6's stride is 53 across.
    sizes = (128, 160, 50, 20)
    model, pixels = build(name, **options_of(name, *sizes)), picture(101, 150)
    predictor = converted(model, name, tmp_path / "model", *sizes)
    assert_same(predictor(Image.fromarray(pixels))["instances"], look(model, pixels), name)


@pytest.mark.parametrize("name", MODELS)
def test_asks_for_every_parameter_of_torchvisions(name):
    names = {k for k in parameters_of(getattr(detection, name)(weights=None, weights_backbone=None)) if "num_batches" not in k}
    renamed = to_detectron2({k: np.zeros(2, np.float32) for k in names})
    assert sorted(renamed) == sorted(required_parameters(config_of(name)))
