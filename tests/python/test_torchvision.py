"""convert/torchvision_models.py: torchvision's own networks, converted, find what torchvision finds."""
import re

import numpy as np
import pytest

from caffe2rt.convert.model import build_model, required_parameters
from caffe2rt.convert.torchvision_models import MODELS, config_of, to_detectron2
from caffe2rt.convert.write import write_model
from test_against_pytorch import coarse_noise
from test_convert import convert

torch = pytest.importorskip("torch")
detection = pytest.importorskip("torchvision.models.detection")

# Spread of the layers whose outputs are read as logits and parts of boxes.
_SMALL = {"cls_logits": 0.02, "rpn.head.bbox_pred": 0.002, "cls_score": 0.1, "box_predictor.bbox_pred": 0.02, "mask_fcn_logits": 0.2, "bn3": 0.2}


def spread_out(model):
    """Random weights with which proposals, scores and boxes vary."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in list(model.named_parameters()) + list(model.named_buffers()):
            scale = next((s for key, s in _SMALL.items() if key in name), 1)
            if name.endswith("running_var"):
                value.fill_(1)
            elif re.search(r"(bn\d|downsample\.1)\.weight", name):
                value.fill_(scale)
            elif value.dim() > 1:
                value.normal_(0, scale * (2 / value[0].numel()) ** 0.5, generator=generator)
            elif value.is_floating_point():
                value.uniform_(-0.05, 0.05, generator=generator)


@pytest.mark.parametrize("name", MODELS)
def test_finds_what_torchvision_finds(name, tmp_path, caffe2_run):
    model = getattr(detection, name)(weights=None, weights_backbone=None, min_size=96, max_size=128, rpn_pre_nms_top_n_test=100,
                                     rpn_post_nms_top_n_test=50, box_detections_per_img=10).eval()
    spread_out(model)
    cfg = config_of(name)
    cfg.MODEL.RPN["PRE_NMS_TOPK_TEST"], cfg.MODEL.RPN["POST_NMS_TOPK_TEST"], cfg.TEST["DETECTIONS_PER_IMAGE"] = 100, 50, 10
    parameters = to_detectron2({k: v.numpy() for k, v in model.state_dict().items()})
    assert sorted(parameters.keys() - {k for k in parameters if "num_batches" in k}) == sorted(required_parameters(cfg))
    write_model(tmp_path / "model", build_model(cfg, parameters), name)

    image = coarse_noise(0)
    np.savez(tmp_path / "in.npz", data=image[None], im_info=np.array([[96, 128, 1]], np.float32))
    got = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--formatted")
    masks = []
    if "mask" in name:  # as the net gives them: torchvision pastes in another way
        model.roi_heads.mask_predictor.register_forward_hook(lambda module, inputs, output: masks.append(output.sigmoid().numpy()))
    with torch.no_grad():
        expected = {k: v.numpy() for k, v in model([torch.from_numpy(image / 255)])[0].items()}
    assert len(got["scores"]) == len(expected["scores"]) > 3
    np.testing.assert_array_equal(got["classes"] + 1, expected["labels"])  # torchvision counts the background
    np.testing.assert_allclose(got["boxes"], expected["boxes"], atol=0.1)
    np.testing.assert_allclose(got["scores"], expected["scores"], atol=1e-3)
    if masks:
        raw = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz")
        np.testing.assert_allclose(raw["mask_fcn_probs"][raw["score_nms"].argsort()[::-1]], masks[0][:, 1:], atol=1e-3)


def test_the_command_line_takes_torchvisions_weights(tmp_path):
    model = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    result = convert("--torchvision", "fasterrcnn_resnet50_fpn", "--weights", tmp_path / "w.pth", "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "model_init.pb").stat().st_size > 150e6
    result = convert("--torchvision", "ssd300_vgg16", "--weights", tmp_path / "w.pth")
    assert result.returncode == 1 and "--torchvision: expected one of fasterrcnn_resnet50_fpn, maskrcnn_resnet50_fpn, got ssd300_vgg16" in result.stderr
