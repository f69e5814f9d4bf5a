"""detectron2's own structures where it is installed: a stand-in of it."""
import sys

import numpy as np
import pytest

import caffe2rt
import stand_in_detectron2
from caffe2rt import interop
from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import random_parameters, small_config

torch = pytest.importorskip("torch")
pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")


@pytest.fixture
def detectron2(tmp_path, monkeypatch):
    """detectron2.structures of the stand-in."""
    stand_in_detectron2.make(tmp_path / "stand_in")
    monkeypatch.syspath_prepend(tmp_path / "stand_in")
    interop.detectron2_structures.cache_clear()
    import detectron2.structures
    yield detectron2.structures
    for name in [n for n in sys.modules if n.split(".")[0] == "detectron2"]:
        del sys.modules[name]
    interop.detectron2_structures.cache_clear()


@pytest.fixture(scope="module")
def image():
    return np.random.RandomState(0).randint(0, 256, (3, 12, 15)).repeat(8, 1).repeat(8, 2).astype(np.uint8)


def model_of(folder, **changes):
    cfg = small_config(**changes)
    write_model(folder, build_model(cfg, random_parameters(cfg)), "net")
    return caffe2rt.Caffe2Model.load_protobuf(folder)


PANOPTIC = dict(MODEL__META_ARCHITECTURE="PanopticFPN", MODEL__SEM_SEG_HEAD__CONVS_DIM=32)


def test_a_model_returns_detectron2s_structures_of_tensors(detectron2, image, tmp_path):
    model = model_of(tmp_path / "model", **PANOPTIC)
    inputs = [{"image": torch.from_numpy(image), "height": 192, "width": 240}]
    theirs, ours = model(inputs)[0], model.predict(inputs)[0]
    instances = theirs["instances"]
    assert type(instances) is detectron2.Instances and type(instances.pred_boxes) is detectron2.Boxes
    assert instances.image_size == (192, 240) and len(instances) == len(ours["instances"]) > 3
    assert instances.pred_masks.dtype == torch.bool and instances.pred_classes.dtype == torch.int64
    np.testing.assert_array_equal(instances.pred_boxes.tensor.numpy(), ours["instances"].pred_boxes.tensor)
    np.testing.assert_array_equal(instances.pred_masks.numpy(), ours["instances"].pred_masks)
    assert theirs["sem_seg"].argmax(dim=0).shape == (192, 240)
    assert isinstance(theirs["panoptic_seg"][0], torch.Tensor) and theirs["panoptic_seg"][1] == ours["panoptic_seg"][1]


def test_a_model_that_finds_nothing_returns_empty_ones(detectron2, image, tmp_path):
    instances = model_of(tmp_path / "model", MODEL__ROI_HEADS__SCORE_THRESH_TEST=2.0)([{"image": image}])[0]["instances"]
    assert len(instances) == 0 and instances.pred_boxes.tensor.shape == (0, 4)


def test_rotated_boxes_are_rotated_boxes(detectron2, image, tmp_path):
    model = model_of(tmp_path / "model", MODEL__MASK_ON=False, MODEL__PROPOSAL_GENERATOR__NAME="RRPN", MODEL__ROI_HEADS__NAME="RROIHeads",
                     MODEL__ANCHOR_GENERATOR__NAME="RotatedAnchorGenerator", MODEL__ANCHOR_GENERATOR__ANGLES=[[-90, 0, 90]],
                     MODEL__RPN__HEAD_NAME="StandardRPNHead", MODEL__RPN__BBOX_REG_WEIGHTS=(1, 1, 1, 1, 1),
                     MODEL__ROI_BOX_HEAD__BBOX_REG_WEIGHTS=(10, 10, 5, 5, 1), MODEL__ROI_BOX_HEAD__POOLER_TYPE="ROIAlignRotated")
    instances = model([{"image": image}])[0]["instances"]
    assert len(instances) > 0 and type(instances.pred_boxes) is detectron2.RotatedBoxes


def test_without_detectron2_they_are_light(image, tmp_path):
    assert interop.detectron2_structures() is None
    instances = model_of(tmp_path / "model")([{"image": image}])[0]["instances"]
    assert type(instances) is caffe2rt.Instances and isinstance(instances.scores, np.ndarray)


def test_a_detectron2_that_does_not_import_is_none_at_all(tmp_path, monkeypatch):
    stand_in_detectron2.make(tmp_path, structures="import detectron2._C")
    monkeypatch.syspath_prepend(tmp_path)
    interop.detectron2_structures.cache_clear()
    assert interop.detectron2_structures() is None
    interop.detectron2_structures.cache_clear()
    sys.modules.pop("detectron2")


def test_the_way_back_gives_light_ones(detectron2):
    theirs = detectron2.Instances((9, 12), pred_boxes=detectron2.Boxes(torch.ones(2, 4, requires_grad=True)), scores=torch.tensor([0.5, 0.25]),
                                  pred_classes=torch.tensor([1, 0]))
    light = interop.to_light({"instances": theirs, "sem_seg": torch.zeros(2, 9, 12), "panoptic_seg": (torch.ones(9, 12), [])})
    assert type(light["instances"]) is caffe2rt.Instances and light["instances"].image_size == (9, 12)
    assert light["instances"].scores.tolist() == [0.5, 0.25] and light["instances"].pred_boxes.tensor.shape == (2, 4)
    assert isinstance(light["sem_seg"], np.ndarray) and isinstance(light["panoptic_seg"][0], np.ndarray)


@pytest.mark.parametrize("output, says", [([], "expected a dict an image"), ({"instances": 3}, "expected detectron2's Instances")])
def test_what_is_no_output_is_named(output, says):
    with pytest.raises(RuntimeError, match=says):
        interop.to_light(output)
