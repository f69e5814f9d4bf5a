"""Converted nets that the original could not be had for, against the same models in plain PyTorch (reference.py)."""
import numpy as np
import pytest

from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import random_parameters, small_config

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
from reference import Reference  # noqa: E402
from retinanet_reference import RetinaNetReference  # noqa: E402
from rotated_reference import RotatedReference  # noqa: E402

BOTTLENECKS = dict(MODEL__RESNETS__DEPTH=50, MODEL__RESNETS__WIDTH_PER_GROUP=4, MODEL__RESNETS__RES2_OUT_CHANNELS=16)
C4 = dict(
    MODEL__BACKBONE__NAME="build_resnet_backbone", MODEL__RESNETS__OUT_FEATURES=["res4"], MODEL__RESNETS__WIDTH_PER_GROUP=4,
    MODEL__RESNETS__RES2_OUT_CHANNELS=16, MODEL__RPN__IN_FEATURES=["res4"], MODEL__ANCHOR_GENERATOR__SIZES=[[16, 32, 64]],
    MODEL__ROI_HEADS__NAME="Res5ROIHeads", MODEL__ROI_HEADS__IN_FEATURES=["res4"], MODEL__ROI_MASK_HEAD__NUM_CONV=0)
NETS = {
    "basic blocks": {},
    "bottlenecks": dict(**BOTTLENECKS, MODEL__RESNETS__STRIDE_IN_1X1=False),
    "batch norm": dict(MODEL__RESNETS__NORM="BN"),
    "ResNeXt": dict(**BOTTLENECKS, MODEL__RESNETS__NUM_GROUPS=2),
    "deformable": dict(**BOTTLENECKS, MODEL__RESNETS__DEFORM_ON_PER_STAGE=[False, True, True, True]),
    "deformable, modulated, in groups": dict(**BOTTLENECKS, MODEL__RESNETS__DEFORM_ON_PER_STAGE=[True] * 4, MODEL__RESNETS__DEFORM_MODULATED=True,
                                             MODEL__RESNETS__DEFORM_NUM_GROUPS=2, MODEL__RESNETS__NUM_GROUPS=2),
    "anchors with an offset": dict(MODEL__ANCHOR_GENERATOR__OFFSET=0.5),
    "a pyramid of means": dict(MODEL__FPN__FUSE_TYPE="avg"),
    "two convolutions in the RPN": dict(MODEL__RPN__CONV_DIMS=[-1, 8]),
    "group norm everywhere": dict(
        MODEL__RESNETS__NORM="GN", MODEL__RESNETS__STEM_OUT_CHANNELS=32, MODEL__RESNETS__RES2_OUT_CHANNELS=32, MODEL__FPN__NORM="GN",
        MODEL__FPN__OUT_CHANNELS=32, MODEL__ROI_BOX_HEAD__NUM_CONV=2, MODEL__ROI_BOX_HEAD__CONV_DIM=32, MODEL__ROI_BOX_HEAD__NORM="GN",
        MODEL__ROI_MASK_HEAD__CONV_DIM=32, MODEL__ROI_MASK_HEAD__NORM="GN"),
    "a box head without FC": dict(MODEL__ROI_BOX_HEAD__NUM_CONV=1, MODEL__ROI_BOX_HEAD__CONV_DIM=8, MODEL__ROI_BOX_HEAD__NUM_FC=0),
    "RoIPool": dict(MODEL__ROI_BOX_HEAD__POOLER_TYPE="ROIPool", MODEL__ROI_MASK_HEAD__POOLER_TYPE="ROIPool"),
    "C4": dict(C4, MODEL__RESNETS__DEPTH=50),
    "C4 on basic blocks": C4,
    "regions from three levels": dict(MODEL__ROI_HEADS__IN_FEATURES=["p2", "p3", "p4"]),
    "class-agnostic boxes": dict(MODEL__ROI_BOX_HEAD__CLS_AGNOSTIC_BBOX_REG=True),
    "cascade": dict(MODEL__ROI_HEADS__NAME="CascadeROIHeads", MODEL__ROI_BOX_HEAD__CLS_AGNOSTIC_BBOX_REG=True),
    "a cascade of two": dict(
        MODEL__ROI_HEADS__NAME="CascadeROIHeads", MODEL__ROI_BOX_HEAD__CLS_AGNOSTIC_BBOX_REG=True, MODEL__ROI_BOX_CASCADE_HEAD__IOUS=[0.5, 0.6],
        MODEL__ROI_BOX_CASCADE_HEAD__BBOX_REG_WEIGHTS=[[10.0, 10.0, 5.0, 5.0], [20.0, 20.0, 10.0, 10.0]]),
}


def match(expected, got):
    """Row of `got` for each row of `expected`: same class, nearest box."""
    assert len(expected["score_nms"]) == len(got["score_nms"]) > 3
    rows = []
    for box, label in zip(expected["bbox_nms"], expected["class_nms"]):
        far = np.abs(got["bbox_nms"] - box).max(1) + 1e6 * (got["class_nms"] != label)
        rows.append(int(far.argmin()))
    assert sorted(rows) == list(range(len(rows)))
    return rows


def coarse_noise(seed):
    return np.random.RandomState(seed).uniform(0, 255, (3, 12, 16)).repeat(8, 1).repeat(8, 2).astype(np.float32)


def run_both(reference, cfg, seed, folder, caffe2_run):
    """What the reference and the converted net find in an image of coarse noise."""
    parameters = random_parameters(cfg, seed)
    write_model(folder / "model", build_model(cfg, parameters), "net")
    image = coarse_noise(seed)
    np.savez(folder / "in.npz", data=image[None], im_info=np.array([[96, 128, 1]], np.float32))
    return reference(cfg, parameters)(image), caffe2_run(folder / "model", folder / "in.npz", folder / "out.npz")


ROTATED = dict(
    MODEL__MASK_ON=False, MODEL__ROI_HEADS__NAME="RROIHeads", MODEL__PROPOSAL_GENERATOR__NAME="RRPN",
    MODEL__ANCHOR_GENERATOR__NAME="RotatedAnchorGenerator", MODEL__RPN__BBOX_REG_WEIGHTS=[1.0] * 5, MODEL__RPN__PRE_NMS_TOPK_TEST=60,
    MODEL__ROI_BOX_HEAD__POOLER_TYPE="ROIAlignRotated", MODEL__ROI_BOX_HEAD__BBOX_REG_WEIGHTS=[10.0, 10.0, 5.0, 5.0, 1.0])


@pytest.mark.parametrize("seed", [0, 1])
def test_rotated_boxes_on_a_pyramid_are_the_same(seed, tmp_path, caffe2_run):
    expected, got = run_both(RotatedReference, small_config(**ROTATED), seed, tmp_path, caffe2_run)
    rows = match(expected, got)
    np.testing.assert_allclose(got["bbox_nms"][rows], expected["bbox_nms"], atol=0.02)
    np.testing.assert_allclose(got["score_nms"][rows], expected["score_nms"], atol=1e-4)


RETINANET = dict(
    MODEL__META_ARCHITECTURE="RetinaNet", MODEL__BACKBONE__NAME="build_retinanet_resnet_fpn_backbone", MODEL__RESNETS__OUT_FEATURES=["res3", "res4", "res5"],
    MODEL__FPN__IN_FEATURES=["res3", "res4", "res5"], MODEL__RETINANET__NUM_CLASSES=5, MODEL__RETINANET__NUM_CONVS=2,
    MODEL__ANCHOR_GENERATOR__SIZES=[[x, x * 1.5] for x in (16, 32, 64, 128, 256)], MODEL__ANCHOR_GENERATOR__ASPECT_RATIOS=[[0.7, 1.4]])


@pytest.mark.parametrize("changes", [
    {}, dict(MODEL__ANCHOR_GENERATOR__OFFSET=0.5, MODEL__RETINANET__TOPK_CANDIDATES_TEST=40), dict(MODEL__RETINANET__NORM="GN", MODEL__FPN__OUT_CHANNELS=32)],
    ids=["plain", "an offset of the grid", "group norm"])
def test_a_retinanet_with_other_anchors_finds_the_same(changes, tmp_path, caffe2_run):
    cfg = small_config(**RETINANET, **changes)
    parameters, image = random_parameters(cfg), coarse_noise(0).repeat(2, 1).repeat(2, 2)
    parameters["head.cls_score.weight"] *= 0.1  # far from a probability of 1, where many would be alike
    parameters["head.bbox_pred.weight"] *= 0.1
    write_model(tmp_path / "model", build_model(cfg, parameters), "net")
    np.savez(tmp_path / "in.npz", data=image[None], im_info=np.array([[192, 256, 1]], np.float32))
    got = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--formatted")
    boxes, scores, classes = RetinaNetReference(cfg, parameters)(image)
    rows = match({"bbox_nms": boxes, "score_nms": scores, "class_nms": classes},
                 {"bbox_nms": got["boxes"], "score_nms": got["scores"], "class_nms": got["classes"]})
    np.testing.assert_allclose(got["boxes"][rows], boxes, atol=0.02)
    np.testing.assert_allclose(got["scores"][rows], scores, atol=1e-4)


def test_a_proposal_network_gives_the_best_regions(tmp_path, caffe2_run):
    cfg = small_config(MODEL__META_ARCHITECTURE="ProposalNetwork")
    parameters, image = random_parameters(cfg), coarse_noise(0)
    write_model(tmp_path / "model", build_model(cfg, parameters), "net")
    np.savez(tmp_path / "in.npz", data=image[None], im_info=np.array([[96, 128, 1]], np.float32))
    got = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--formatted")
    reference = Reference(cfg, parameters)
    with torch.no_grad():
        expected = reference.proposals(reference.backbone(torch.from_numpy(image)[None]), image.shape[1:]).numpy()
    assert len(expected) == 50
    np.testing.assert_allclose(got["boxes"], expected, atol=0.02)


def test_a_semantic_segmentor_gives_each_pixels_logits(tmp_path, caffe2_run):
    cfg = small_config(MODEL__META_ARCHITECTURE="SemanticSegmentor", MODEL__SEM_SEG_HEAD__NUM_CLASSES=4, MODEL__SEM_SEG_HEAD__CONVS_DIM=32)
    parameters, image = random_parameters(cfg), coarse_noise(0)
    write_model(tmp_path / "model", build_model(cfg, parameters), "net")
    np.savez(tmp_path / "in.npz", data=image[None], im_info=np.array([[96, 128, 1]], np.float32))
    raw = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz")
    reference = Reference(cfg, parameters)
    with torch.no_grad():
        logits = reference.semantic(reference.backbone(torch.from_numpy(image)[None])).numpy()
    np.testing.assert_allclose(raw["sem_seg"][0], logits, atol=1e-3)
    formatted = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--formatted")
    assert len(np.unique(logits.argmax(0))) > 1
    assert (formatted["sem_seg_argmax"] == logits.argmax(0)).mean() > 0.999


@pytest.mark.parametrize("changes", NETS.values(), ids=NETS.keys())
@pytest.mark.parametrize("seed", [0, 1])
def test_detections_and_masks_are_the_same(changes, seed, tmp_path, caffe2_run):
    expected, got = run_both(Reference, small_config(**changes), seed, tmp_path, caffe2_run)
    rows = match(expected, got)
    np.testing.assert_allclose(got["bbox_nms"][rows], expected["bbox_nms"], atol=0.02)
    np.testing.assert_allclose(got["score_nms"][rows], expected["score_nms"], atol=1e-4)
    np.testing.assert_allclose(got["mask_fcn_probs"][rows], expected["mask_fcn_probs"], atol=1e-3)
