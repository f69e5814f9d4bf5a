"""convert/shapes.py and draw.py: what the drawing says of a net is what a run of it shows."""
import shutil
import xml.etree.ElementTree

import numpy as np
import pytest

from caffe2rt.convert import draw, shapes
from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import random_parameters, small_config
from test_against_pytorch import NETS, ROTATED

KEYPOINTS = dict(MODEL__KEYPOINT_ON=True, MODEL__ROI_HEADS__NUM_CLASSES=1, MODEL__ROI_KEYPOINT_HEAD__CONV_DIMS=[16, 16],
                 EXPORT_CAFFE2__USE_HEATMAP_MAX_KEYPOINT=True)
C4 = dict(MODEL__BACKBONE__NAME="build_resnet_backbone", MODEL__RESNETS__DEPTH=50, MODEL__RESNETS__OUT_FEATURES=["res4"],
          MODEL__RPN__IN_FEATURES=["res4"], MODEL__ANCHOR_GENERATOR__SIZES=[[32, 64]], MODEL__ROI_HEADS__NAME="Res5ROIHeads",
          MODEL__ROI_HEADS__IN_FEATURES=["res4"], MODEL__RESNETS__WIDTH_PER_GROUP=4)
PANOPTIC = dict(MODEL__META_ARCHITECTURE="PanopticFPN", MODEL__SEM_SEG_HEAD__CONVS_DIM=32)
RETINANET = dict(MODEL__META_ARCHITECTURE="RetinaNet", MODEL__BACKBONE__NAME="build_retinanet_resnet_fpn_backbone",
                 MODEL__FPN__IN_FEATURES=["res3", "res4", "res5"])


@pytest.mark.parametrize("changes", [NETS["cascade"], NETS["deformable, modulated, in groups"], ROTATED, KEYPOINTS, C4, PANOPTIC, RETINANET],
                         ids=["cascade", "deformable", "rotated", "keypoints", "C4", "panoptic", "RetinaNet"])
def test_shapes_are_those_of_a_run(changes, tmp_path, caffe2_run):
    cfg = small_config(**changes)
    model = build_model(cfg, random_parameters(cfg))
    write_model(tmp_path / "model", model, "net")
    image = np.random.RandomState(0).uniform(0, 255, (2, 3, 12, 16)).repeat(8, 2).repeat(8, 3).astype(np.float32)
    np.savez(tmp_path / "in.npz", data=image, im_info=np.array([[96, 128, 1]] * 2, np.float32))
    ran = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--blobs", "all")
    known = shapes.infer(model)
    written = {blob for op in model.ops for blob in op[2]}
    unknown = {b for b in written if b not in known}
    assert all(b.endswith(("_split", "_splits", "_shuffled", "_keeps_nms", "_keeps_size_nms")) or "_split." in b for b in unknown), unknown
    for blob in written - unknown:
        sizes = {"N": 2, "H": 96, "W": 128}
        for expected, got in zip(known[blob], ran[blob].shape, strict=True):
            if expected in ("R", "D"):
                continue
            if isinstance(expected, str):
                name, _, stride = expected.partition("/")
                expected = -(-sizes[name] // int(stride or 1))
            assert got == expected, "%s: %s" % (blob, known[blob])


def test_every_stage_of_a_mask_rcnn_is_drawn():
    dot = draw.to_dot(build_model(small_config(), random_parameters(small_config())), 'a "title"')
    for stage in ("input", "stem", "res2", "res5", "feature pyramid", "region proposals", "box head", "mask head", "output mask_fcn_probs"):
        assert '"%s" [' % stage in dot, stage
    assert '"res5" -> "feature pyramid" [label="res5.1.sum.relu N×64×H/32×W/32\\l"]' in dot
    assert '"feature pyramid" -> "mask head"' in dot
    assert 'label="a \\"title\\""' in dot


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_the_drawing_is_an_svg():
    svg = xml.etree.ElementTree.fromstring(draw.to_svg(build_model(small_config(), random_parameters(small_config())), "net"))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
