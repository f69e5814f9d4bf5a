"""convert/torchvision_models.py: torchvision's own networks, converted, find what torchvision finds in the same picture."""
import json

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
from random_torchvision import spread_out  # noqa: E402
predict = pytest.importorskip("caffe2rt.predict") if (BUILD / "python").is_dir() else None

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
    renamed = to_detectron2(parameters)
    assert sorted(k for k in renamed if "num_batches" not in k) == sorted(required_parameters(cfg))
    write_model(folder, build_model(cfg, renamed), name)
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


@needs_runtime
def test_finds_the_same_at_full_size(tmp_path):
    # 800 rows are 13 of the last level's: its anchors are 61 rows apart, not 64.
    name, sizes = "fasterrcnn_mobilenet_v3_large_fpn", (800, 1333, 300, 100)
    model, pixels = build(name, **options_of(name, *sizes)), picture(480, 640)
    predictor = converted(model, name, tmp_path / "model", *sizes)
    assert_same(predictor(Image.fromarray(pixels))["instances"], look(model, pixels), name)


@needs_runtime
def test_interpolates_as_torch_does():
    pixels = picture(37, 53)
    for size in ((80, 90), (20, 17), (37, 53), (1, 1), (111, 9)):
        expected = torch.nn.functional.interpolate(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float(), size=size, mode="bilinear")
        np.testing.assert_allclose(predict.interpolate(pixels, *size).transpose(2, 0, 1), expected[0].numpy(), atol=1e-3)


@pytest.mark.parametrize("name, is_called", [
    ("backbone.fpn.inner_blocks.0.weight", "backbone.fpn_lateral2.weight"),
    ("backbone.fpn.inner_blocks.0.0.weight", "backbone.fpn_lateral2.weight"),
    ("rpn.head.conv.weight", "proposal_generator.rpn_head.conv.weight"),
    ("rpn.head.conv.0.0.weight", "proposal_generator.rpn_head.conv.weight"),
    ("roi_heads.mask_head.mask_fcn1.bias", "roi_heads.mask_head.mask_fcn1.bias"),
    ("roi_heads.mask_head.0.0.bias", "roi_heads.mask_head.mask_fcn1.bias"),
    ("head.classification_head.conv.2.weight", "head.cls_subnet.2.weight"),
    ("head.regression_head.conv.1.0.weight", "head.bbox_subnet.2.weight"),
])
def test_knows_the_names_of_older_files_too(name, is_called):
    assert list(to_detectron2({name: np.zeros(1)})) == [is_called]


def test_reads_the_number_of_classes_from_the_weights():
    rows = {"roi_heads.box_predictor.cls_score.bias": 3, "roi_heads.keypoint_predictor.kps_score_lowres.bias": 5,
            "head.classification_head.cls_logits.bias": 36}
    parameters = {k: np.zeros(n, np.float32) for k, n in rows.items()}
    model = config_of("keypointrcnn_resnet50_fpn", parameters).MODEL
    assert (model.ROI_HEADS.NUM_CLASSES, model.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS) == (2, 5)
    assert config_of("retinanet_resnet50_fpn", parameters).MODEL.RETINANET.NUM_CLASSES == 4
    assert class_names(config_of("keypointrcnn_resnet50_fpn", parameters)) is None


def test_names_classes_as_torchvision_does():
    categories = pytest.importorskip("torchvision.models._meta")._COCO_CATEGORIES
    assert class_names(config_of("fasterrcnn_resnet50_fpn")) == categories[1:]
    assert class_names(config_of("retinanet_resnet50_fpn")) == categories
    assert class_names(config_of("keypointrcnn_resnet50_fpn")) == ["person"]


def test_evaluates_by_name_where_classes_have_gaps():
    evaluate = pytest.importorskip("caffe2rt.evaluate.coco")
    coco = evaluate.COCO()
    coco.dataset = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "person"}, {"id": 13, "name": "stop sign"}]}
    coco.createIndex()
    assert evaluate.categories_of(coco, ["__background__", "person", "N/A", "stop sign", ""]) == [None, 1, None, 13]
    assert evaluate.categories_of(coco, ["cat", "dog", ""]) == [1, 13]
    assert evaluate.categories_of(coco, []) == [1, 13]


def test_folds_norms_with_the_epsilon_that_is_asked_for():
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    conv, shape = "_wrapped_model.backbone.bottom_up.features.0.conv.weight", (16, 3, 3, 3)
    parameters = {k: np.ones(s, np.float32) for k, s in required_parameters(config_of(name)).items()}
    parameters["backbone.bottom_up.features.0.conv.norm.running_var"][:] = 3e-5
    for eps in (0.0, 1e-5):
        weight = build_model(config_of(name, norm_eps=eps), parameters).weights[conv]
        np.testing.assert_allclose(weight, np.full(shape, (3e-5 + eps) ** -0.5), rtol=1e-5)


@pytest.mark.parametrize("name, expected", [
    ("retinanet_resnet50_fpn", dict(anchor_strides="of_grid", clip_before_nms=1, max_detections_per_image=300)),
    ("fasterrcnn_mobilenet_v3_large_320_fpn", dict(min_size_test=320, max_size_test=640, size_divisibility=32)),
])
def test_says_in_the_net_what_torchvision_does(name, expected):
    cfg = config_of(name)
    arguments = build_model(cfg, {k: np.zeros(s, np.float32) for k, s in required_parameters(cfg).items()}).arguments
    expected = dict(expected, resize_mode="bilinear", input_format="RGB", padding_value=pytest.approx([123.675, 116.28, 103.53]))
    assert {k: arguments[k] for k in expected} == expected


def test_knows_the_files_that_torchvision_runs_without_epsilon():
    assert norm_eps_of("/a/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth") == 0
    assert norm_eps_of("keypointrcnn_resnet50_fpn_coco-fc266e95.pth") == 0
    assert norm_eps_of("keypointrcnn_resnet50_fpn_coco-9f466800.pth") == 1e-5  # COCO_LEGACY
    assert norm_eps_of("maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth") == 1e-5
    assert norm_eps_of("w.pth") == 1e-5


def test_the_command_line_takes_torchvisions_weights(tmp_path):
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    model = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=4)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    result = convert("--torchvision", name, "--weights", tmp_path / "w.pth", "--output", tmp_path / "out", "--norm-eps", 0.001)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "model_init.pb").stat().st_size > 50e6
    text = (tmp_path / "out" / "model.pbtxt").read_text()
    assert '"bilinear"' in text and '"caffe2rt.GenerateProposals"' in text
    assert not (tmp_path / "out" / "labels.txt").exists()
    result = convert("--torchvision", name, "--weights", tmp_path / "w.pth", "--output", tmp_path / "out", "TEST.DETECTIONS_PER_IMAGE", "7",
                     "INPUT.MIN_SIZE_TEST", "96")
    assert result.returncode == 0, result.stderr
    arguments = {line for line in (tmp_path / "out" / "model.pbtxt").read_text().split("arg {")}
    assert any('"max_detections_per_image"' in a and "i: 7" in a for a in arguments) and any('"min_size_test"' in a and "i: 96" in a for a in arguments)
    result = convert("--torchvision", name, "--weights", tmp_path / "w.pth", "MODEL.NOTHING", "1")
    assert result.returncode == 1 and "unknown configuration keys: MODEL.NOTHING" in result.stderr
    result = convert("--torchvision", name, "--weights", tmp_path / "w.pth", "--norm-eps", -1)
    assert result.returncode == 1 and "--norm-eps: expected 0 or more, below 1, got -1.0" in result.stderr
    result = convert("--torchvision", "ssd300_vgg16", "--weights", tmp_path / "w.pth")
    assert result.returncode == 1 and "--torchvision: expected one of fasterrcnn_mobilenet_v3_large_320_fpn, " in result.stderr
    assert result.stderr.rstrip().endswith("retinanet_resnet50_fpn_v2, got ssd300_vgg16")


@needs_runtime
def test_is_evaluated_where_detectron2_has_coco(tmp_path, monkeypatch, capsys):
    """tools/caffe2_converter.py --torchvision ... --run-eval."""
    pytest.importorskip("pycocotools")
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    torch.save(build(name).state_dict(), tmp_path / "w.pth")
    (tmp_path / "coco" / "val2017").mkdir(parents=True)
    (tmp_path / "coco" / "annotations").mkdir()
    Image.fromarray(picture(96, 128)).save(tmp_path / "coco" / "val2017" / "1.png")
    (tmp_path / "coco" / "annotations" / "instances_val2017.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "1.png", "width": 128, "height": 96}], "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "area": 2500, "iscrowd": 0}]}))
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    from caffe2rt.convert.main import main
    status = main(["--torchvision", name, "--weights", str(tmp_path / "w.pth"), "--output", str(tmp_path / "out"), "--run-eval", "INPUT.MIN_SIZE_TEST", "96"])
    out = capsys.readouterr()
    assert status == 0, out.err
    assert "bbox" in out.out and out.out.splitlines()[-7].split() == ["model", "torchvision", "difference"] and len((tmp_path / "out" / "labels.txt").read_text().splitlines()) == 90
