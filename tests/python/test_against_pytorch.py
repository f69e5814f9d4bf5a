"""Converted nets that the original could not be had for, against the same models in plain PyTorch (reference.py)."""
import numpy as np
import pytest

from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from conftest import random_parameters, small_config

pytest.importorskip("torchvision")
from reference import Reference  # noqa: E402

BOTTLENECKS = dict(MODEL__RESNETS__DEPTH=50, MODEL__RESNETS__WIDTH_PER_GROUP=4, MODEL__RESNETS__RES2_OUT_CHANNELS=16)
NETS = {
    "basic blocks": {},
    "bottlenecks": dict(**BOTTLENECKS, MODEL__RESNETS__STRIDE_IN_1X1=False),
    "batch norm": dict(MODEL__RESNETS__NORM="BN"),
    "ResNeXt": dict(**BOTTLENECKS, MODEL__RESNETS__NUM_GROUPS=2),
    "deformable": dict(**BOTTLENECKS, MODEL__RESNETS__DEFORM_ON_PER_STAGE=[False, True, True, True]),
    "deformable, modulated, in groups": dict(**BOTTLENECKS, MODEL__RESNETS__DEFORM_ON_PER_STAGE=[True] * 4, MODEL__RESNETS__DEFORM_MODULATED=True,
                                             MODEL__RESNETS__DEFORM_NUM_GROUPS=2, MODEL__RESNETS__NUM_GROUPS=2),
    "class-agnostic boxes": dict(MODEL__ROI_BOX_HEAD__CLS_AGNOSTIC_BBOX_REG=True),
    "cascade": dict(MODEL__ROI_HEADS__NAME="CascadeROIHeads", MODEL__ROI_BOX_HEAD__CLS_AGNOSTIC_BBOX_REG=True),
}


def match(expected, got):
    """Row of `got` for each row of `expected`: same class, nearest box."""
    rows = []
    for box, label in zip(expected["bbox_nms"], expected["class_nms"]):
        far = np.abs(got["bbox_nms"] - box).max(1) + 1e6 * (got["class_nms"] != label)
        rows.append(int(far.argmin()))
    return rows


@pytest.mark.parametrize("changes", NETS.values(), ids=NETS.keys())
@pytest.mark.parametrize("seed", [0, 1])
def test_detections_and_masks_are_the_same(changes, seed, tmp_path, caffe2_run):
    cfg = small_config(**changes)
    parameters = random_parameters(cfg, seed)
    write_model(tmp_path / "model", build_model(cfg, parameters), "net")
    image = np.random.RandomState(seed).uniform(0, 255, (3, 12, 16)).repeat(8, 1).repeat(8, 2).astype(np.float32)
    np.savez(tmp_path / "in.npz", data=image[None], im_info=np.array([[96, 128, 1]], np.float32))
    got = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz")
    expected = Reference(cfg, parameters)(image)
    assert len(expected["score_nms"]) == len(got["score_nms"]) > 3
    rows = match(expected, got)
    assert sorted(rows) == list(range(len(rows)))
    np.testing.assert_allclose(got["bbox_nms"][rows], expected["bbox_nms"], atol=0.02)
    np.testing.assert_allclose(got["score_nms"][rows], expected["score_nms"], atol=1e-4)
    np.testing.assert_allclose(got["mask_fcn_probs"][rows], expected["mask_fcn_probs"], atol=1e-3)
