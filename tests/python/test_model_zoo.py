"""Every kind of model in detectron2's zoo is built from its configuration, at full size.

The table says of each what its YAML file says of the network; what it says of training is left out. docs/models.md lists them all.
"""
import math

import pytest

from caffe2rt.convert.config import load_config
from caffe2rt.convert.errors import ConvertError
from caffe2rt.convert.model import required_parameters

C4 = """
MODEL:
  RPN: {PRE_NMS_TOPK_TEST: 6000, POST_NMS_TOPK_TEST: 1000}
  ROI_HEADS: {NAME: Res5ROIHeads}
"""
DC5 = """
MODEL:
  RESNETS: {OUT_FEATURES: [res5], RES5_DILATION: 2}
  RPN: {IN_FEATURES: [res5], PRE_NMS_TOPK_TEST: 6000, POST_NMS_TOPK_TEST: 1000}
  ROI_HEADS: {NAME: StandardROIHeads, IN_FEATURES: [res5]}
  ROI_BOX_HEAD: {NAME: FastRCNNConvFCHead, NUM_FC: 2, POOLER_RESOLUTION: 7}
  ROI_MASK_HEAD: {NUM_CONV: 4}
"""
FPN = """
MODEL:
  BACKBONE: {NAME: build_resnet_fpn_backbone}
  RESNETS: {OUT_FEATURES: [res2, res3, res4, res5]}
  FPN: {IN_FEATURES: [res2, res3, res4, res5]}
  ANCHOR_GENERATOR: {SIZES: [[32], [64], [128], [256], [512]]}
  RPN: {IN_FEATURES: [p2, p3, p4, p5, p6], PRE_NMS_TOPK_TEST: 1000, POST_NMS_TOPK_TEST: 1000}
  ROI_HEADS: {NAME: StandardROIHeads, IN_FEATURES: [p2, p3, p4, p5]}
  ROI_BOX_HEAD: {NAME: FastRCNNConvFCHead, NUM_FC: 2, POOLER_RESOLUTION: 7}
  ROI_MASK_HEAD: {NUM_CONV: 4}
"""
RETINANET = """
MODEL:
  META_ARCHITECTURE: RetinaNet
  BACKBONE: {NAME: build_retinanet_resnet_fpn_backbone}
  RESNETS: {OUT_FEATURES: [res3, res4, res5]}
  FPN: {IN_FEATURES: [res3, res4, res5]}
  ANCHOR_GENERATOR:
    SIZES: [[32, 40.3, 50.8], [64, 80.6, 101.6], [128, 161.3, 203.2], [256, 322.5, 406.4], [512, 645.1, 812.7]]
"""
MASK = {"MASK_ON": True}
X101 = {"RESNETS.DEPTH": 101, "RESNETS.NUM_GROUPS": 32, "RESNETS.WIDTH_PER_GROUP": 8, "RESNETS.STRIDE_IN_1X1": False}
KEYPOINTS = {"KEYPOINT_ON": True, "ROI_HEADS.NUM_CLASSES": 1}
GN = {"RESNETS.NORM": "GN", "RESNETS.STRIDE_IN_1X1": False, "FPN.NORM": "GN", "ROI_MASK_HEAD.NORM": "GN"}
CONVS_GN = {"ROI_BOX_HEAD.NUM_CONV": 4, "ROI_BOX_HEAD.NUM_FC": 1, "ROI_BOX_HEAD.NORM": "GN"}
CASCADE = {"ROI_HEADS.NAME": "CascadeROIHeads", "ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG": True}
DCONV = {"RESNETS.DEFORM_ON_PER_STAGE": [False, True, True, True]}
SYNCBN = {"RESNETS.NORM": "SyncBN", "RESNETS.STRIDE_IN_1X1": False, "FPN.NORM": "SyncBN", "ROI_BOX_HEAD.NUM_CONV": 4, "ROI_BOX_HEAD.NUM_FC": 1,
          "ROI_BOX_HEAD.NORM": "SyncBN", "ROI_MASK_HEAD.NORM": "SyncBN"}

# name: (base, changes under MODEL)
ZOO = {
    "faster_rcnn_R_50_C4": (C4, {}),
    "faster_rcnn_R_101_DC5": (DC5, {"RESNETS.DEPTH": 101}),
    "faster_rcnn_R_50_FPN": (FPN, {}),
    "faster_rcnn_X_101_32x8d_FPN": (FPN, X101),
    "retinanet_R_50_FPN": (RETINANET, {}),
    "rpn_R_50_C4": (C4, {"META_ARCHITECTURE": "ProposalNetwork"}),
    "rpn_R_50_FPN": (FPN, {"META_ARCHITECTURE": "ProposalNetwork"}),
    "mask_rcnn_R_50_C4": (C4, MASK),
    "mask_rcnn_R_50_DC5": (DC5, MASK),
    "mask_rcnn_R_50_FPN": (FPN, MASK),
    "keypoint_rcnn_R_50_FPN": (FPN, KEYPOINTS),
    "panoptic_fpn_R_50": (FPN, {**MASK, "META_ARCHITECTURE": "PanopticFPN"}),
    "LVISv1 mask_rcnn_R_50_FPN": (FPN, {**MASK, "ROI_HEADS.NUM_CLASSES": 1203}),
    "Cityscapes mask_rcnn_R_50_FPN": (FPN, {**MASK, "ROI_HEADS.NUM_CLASSES": 8}),
    "PascalVOC faster_rcnn_R_50_C4": (C4, {"ROI_HEADS.NUM_CLASSES": 20}),
    "mask_rcnn_R_50_FPN_dconv_c3-c5": (FPN, {**MASK, **DCONV}),
    "cascade_mask_rcnn_R_50_FPN": (FPN, {**MASK, **CASCADE}),
    "cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv": (FPN, {**MASK, **X101, **CASCADE, **DCONV, **CONVS_GN, "RESNETS.DEPTH": 152,
                                                             "ROI_MASK_HEAD.NUM_CONV": 8, "ROI_MASK_HEAD.NORM": "GN"}),
    "mask_rcnn_R_50_FPN_gn": (FPN, {**MASK, **GN, **CONVS_GN}),
    "mask_rcnn_R_50_FPN_syncbn": (FPN, {**MASK, **SYNCBN}),
    "mask_rcnn_R_50_FPN_cls_agnostic": (FPN, {**MASK, "ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG": True, "ROI_MASK_HEAD.CLS_AGNOSTIC_MASK": True}),
    "panoptic_fpn_R_101_dconv_cascade_gn": (FPN, {**MASK, **GN, **CASCADE, **DCONV, "META_ARCHITECTURE": "PanopticFPN", "RESNETS.DEPTH": 101}),
    "semantic_R_50_FPN": (FPN, {"META_ARCHITECTURE": "SemanticSegmentor"}),
}


def config_of(folder, base, changes):
    (folder / "net.yaml").write_text(base)
    overrides = []
    for key, value in changes.items():
        overrides += ["MODEL." + key, str(value)]
    return load_config(folder / "net.yaml", overrides)


# Weights that are trained or frozen, without a norm's numbers: what torchvision's models of the same name have (41755286, 44401393,
# 59137258, 34014999), less what its 91 classes and its RetinaNet's p6 on p5 make of a difference.
PARAMETERS = {"faster_rcnn_R_50_FPN": 41699936, "mask_rcnn_R_50_FPN": 44343216, "keypoint_rcnn_R_50_FPN": 59133158, "retinanet_R_50_FPN": 37915572}


@pytest.mark.parametrize("name", ZOO)
def test_is_built(name, tmp_path):
    required = required_parameters(config_of(tmp_path, *ZOO[name]))
    assert len(required) > 100
    if name in PARAMETERS:
        assert sum(math.prod(shape) for key, shape in required.items() if ".norm." not in key) == PARAMETERS[name]


def test_precomputed_proposals_are_refused(tmp_path):
    with pytest.raises(ConvertError, match="MODEL.PROPOSAL_GENERATOR.NAME: expected RPN or RRPN, got PrecomputedProposals"):
        required_parameters(config_of(tmp_path, FPN, {"PROPOSAL_GENERATOR.NAME": "PrecomputedProposals"}))
