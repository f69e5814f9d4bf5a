"""tools/caffe2_converter.py: whole models, by our runtime and against detectron2's own exports."""
import json
import pickle
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from caffe2rt import caffe2_pb2
from caffe2rt.convert import caffe2_names
from caffe2rt.convert.model import build_model, required_parameters
from helpers import ROOT, SHARED, random_parameters, small_config

GOLDEN = SHARED / "golden"
CHECKPOINTS = sorted(p.parent for p in GOLDEN.glob("*/model_final.pkl"))


def convert(*arguments, tool="caffe2_converter.py"):
    return subprocess.run([sys.executable, ROOT / "tools" / tool, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


@pytest.fixture
def small(tmp_path):
    """A small Mask R-CNN's arguments for the converter."""
    cfg = small_config()
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"model": random_parameters(cfg)}))
    return ["--config-file", ROOT / "tests/python/small_mask_rcnn_fpn.yaml", "--output", tmp_path / "out", "MODEL.WEIGHTS", tmp_path / "model.pkl"]


def read_net(file):
    net = caffe2_pb2.NetDef()
    net.ParseFromString(file.read_bytes())
    return net


def test_writes_a_net_that_runs(small, tmp_path, caffe2_run):
    result = convert(*small)
    assert result.returncode == 0, result.stderr
    rng = np.random.RandomState(0)
    np.savez(tmp_path / "in.npz", data=rng.uniform(0, 255, (1, 3, 64, 96)).astype(np.float32), im_info=np.array([[64, 96, 1]], np.float32))
    out = caffe2_run(tmp_path / "out", tmp_path / "in.npz", tmp_path / "out.npz")
    assert sorted(out) == ["bbox_nms", "class_nms", "mask_fcn_probs", "score_nms"]
    count = len(out["score_nms"])
    assert 0 < count <= 10
    assert out["mask_fcn_probs"].shape == (count, 3, 28, 28)


def test_names_and_arguments_are_what_programs_look_for(small, tmp_path):
    convert(*small)
    net = read_net(tmp_path / "out" / "model.pb")
    assert list(net.external_input)[:2] == ["data", "im_info"]
    assert "_wrapped_model.backbone.fpn_lateral5.weight" in net.external_input
    arguments = {a.name: a.s or a.i or round(a.f, 6) for a in net.arg}
    assert arguments == {"size_divisibility": 32, "device": b"cpu", "meta_architecture": b"GeneralizedRCNN", "input_format": b"BGR",
                         "min_size_test": 64, "max_size_test": 128, "score_threshold": 0.05, "nms_threshold": 0.5,
                         "max_detections_per_image": 10}
    weights = [op.output[0] for op in read_net(tmp_path / "out" / "model_init.pb").op]
    assert sorted(weights) == sorted(list(net.external_input)[2:])
    assert (tmp_path / "out" / "model.pbtxt").read_text().startswith('name: "GeneralizedRCNN_predict"')


def test_detectron2s_later_command_line_means_the_same(small, tmp_path):
    convert(*small)
    first = (tmp_path / "out" / "model.pb").read_bytes()
    result = convert("--format", "caffe2", "--export-method", "caffe2_tracing", *small, tool="export_model.py")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "model.pb").read_bytes() == first
    assert convert("--format", "caffe2", *small).returncode == 0  # as releases between had it
    assert "invalid choice: 'onnx'" in convert("--format", "onnx", *small, tool="export_model.py").stderr


def test_labels_are_written_for_data_sets_that_are_known(small, tmp_path):
    convert(*small)
    assert not (tmp_path / "out" / "labels.txt").exists()
    parameters = random_parameters(small_config(MODEL__ROI_HEADS__NUM_CLASSES=80))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(parameters))
    result = convert(*small, "DATASETS.TEST", "('coco_2017_val',)", "MODEL.ROI_HEADS.NUM_CLASSES", "80")
    assert result.returncode == 0, result.stderr
    labels = (tmp_path / "out" / "labels.txt").read_text().splitlines()
    assert (len(labels), labels[0], labels[9], labels[79]) == (80, "person", "traffic light", "toothbrush")


def test_all_that_is_wrong_with_the_weights_is_said_at_once(small, tmp_path):
    parameters = random_parameters(small_config())
    del parameters["backbone.fpn_lateral3.bias"]
    parameters["roi_heads.box_predictor.cls_score.weight"] = np.zeros((81, 32), np.float32)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(parameters))
    result = convert(*small)
    assert result.returncode == 1
    assert "backbone.fpn_lateral3.bias is missing, expected (16,)" in result.stderr
    assert "roi_heads.box_predictor.cls_score.weight: expected (4, 32), got (81, 32)" in result.stderr
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".caffe2*"))


def test_a_folder_that_cannot_be_written_is_named(small, tmp_path):
    (tmp_path / "file").write_text("")
    result = convert(*small[:3], tmp_path / "file" / "out", *small[4:])
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1 and str(tmp_path / "file") in result.stderr


@pytest.mark.parametrize("key, value, says", [
    ("MODEL.META_ARCHITECTURE", "DETR", "MODEL.META_ARCHITECTURE: expected one of GeneralizedRCNN, PanopticFPN, ProposalNetwork, RetinaNet, SemanticSegmentor, got DETR"),
    ("MODEL.BACKBONE.NAME", "build_vovnet", "MODEL.BACKBONE.NAME: expected one of build_resnet_backbone"),
    ("MODEL.RESNETS.DEPTH", "51", "MODEL.RESNETS.DEPTH: expected one of"),
    ("MODEL.ROI_HEADS.IN_FEATURES", "['p9']", "MODEL.ROI_HEADS.IN_FEATURES: expected some of"),
    ("MODEL.ROI_HEADS.IN_FEATURES", "['p2', 'p4']", "MODEL.ROI_HEADS.IN_FEATURES: expected levels of a pyramid one after another, got strides 4, 16"),
    ("MODEL.ROI_HEADS.IN_FEATURES", "['p4', 'p3']", "got strides 16, 8"),
    ("MODEL.RESNETS.NORM", "GN", "backbone.bottom_up.stem.conv1.norm: GN has 32 groups, which do not divide 8 channels"),
    ("MODEL.RESNETS.NORM", "LN", "backbone.bottom_up.stem.conv1.norm: no operator for the norm 'LN'"),
    ("MODEL.ROI_HEADS.NUM_CLASSES", "-1", "roi_heads.box_predictor.cls_score.weight: the configuration makes its shape (0, 32)"),
    ("MODEL.FPN.OUT_CHANNELS", "0", "the configuration makes its shape (0, "),
    ("MODEL.DEVICE", "--run-eval", "--run-eval: options go before the KEY VALUE pairs"),
    ("MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS", "[[1, 0.0]]", "expected positive numbers, got 0.0"),
    ("MODEL.ANCHOR_GENERATOR.SIZES", "[['a']]", "expected positive numbers, got 'a'"),
    ("INPUT.FORMAT", "YUV-BT.601", "INPUT.FORMAT: expected BGR or RGB, got YUV-BT.601"),
    ("MODEL.RPN.NMS_THRESH", "None", "MODEL.RPN.NMS_THRESH: expected float, got None"),
    ("MODEL.FPN.IN_FEATURES", "['res5', 'res4', 'res3', 'res2']", "MODEL.FPN.IN_FEATURES: expected strides that double, got [32, 16, 8, 4]"),
    ("MODEL.ANCHOR_GENERATOR.SIZES", "[[1],[2]]", "expected one list or one for each of 5 levels, got 2"),
])
def test_what_is_not_known_is_named(small, key, value, says):
    result = convert(*small, key, value)
    assert result.returncode == 1
    assert says in result.stderr


@pytest.mark.skipif(not CHECKPOINTS, reason="no golden data in %s" % GOLDEN)
@pytest.mark.parametrize("folder", CHECKPOINTS, ids=[p.name for p in CHECKPOINTS])
def test_gives_what_detectron2s_own_export_gave(folder, tmp_path, caffe2_run):
    result = convert("--config-file", folder / "config.yaml", "--output", tmp_path, "MODEL.WEIGHTS", folder / "model_final.pkl",
                     "MODEL.DEVICE", "cpu")
    assert result.returncode == 0, result.stderr
    for case in sorted(folder.glob("case*.npz")):
        caffe2_run(tmp_path, case, tmp_path / "out.npz")
        judged = subprocess.run([sys.executable, GOLDEN / "compare.py", case, tmp_path / "out.npz"], stdout=subprocess.PIPE, text=True)
        assert judged.returncode == 0, "%s: %s" % (case.name, judged.stdout)


def test_the_wire_format_is_that_of_the_runtime(tmp_path):
    """caffe2_pb2.py is what protoc makes of src/proto/caffe2.proto."""
    if shutil.which("protoc") is None:
        pytest.skip("protoc is not installed")
    subprocess.run(["protoc", "--python_out=%s" % tmp_path, "-I%s" % (ROOT / "src/proto"), "caffe2.proto"], check=True)
    assert (tmp_path / "caffe2_pb2.py").read_text() == (ROOT / "tools/python/caffe2rt/caffe2_pb2.py").read_text()


def test_labels_may_be_named(small, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb c\nd\n")
    assert convert("--labels", tmp_path / "names.txt", *small).returncode == 0
    assert (tmp_path / "out" / "labels.txt").read_text() == "a\nb c\nd\n"
    (tmp_path / "coco.json").write_text(json.dumps({"categories": [{"id": 7, "name": "y"}, {"id": 2, "name": "x"}, {"id": 9, "name": "z"}]}))
    assert convert("--labels", tmp_path / "coco.json", *small).returncode == 0
    assert (tmp_path / "out" / "labels.txt").read_text() == "x\ny\nz\n"


def test_labels_of_another_model_are_left_and_said_to_be_old(small, tmp_path):
    assert convert("--labels", ROOT / "README.md", *small).returncode == 1
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    assert "labels.txt: was there before" not in convert("--labels", tmp_path / "names.txt", *small).stdout
    assert "labels.txt: was there before" in convert(*small).stdout


def test_what_was_made_of_another_model_goes(small, tmp_path):
    convert(*small)
    calibration = tmp_path / "out" / "calibration.json"
    calibration.write_text("{}")
    assert "calibration.json" not in convert(*small).stdout and calibration.exists()  # the same model
    assert "calibration.json: was of another model, and is removed" in convert(*small, "MODEL.PIXEL_STD", "[2.0, 2.0, 2.0]").stdout
    assert not calibration.exists()


@pytest.mark.parametrize("value, says", [(np.float32("nan"), "holds numbers that are not finite"), (np.complex64(1), "expected numbers, got complex64")])
def test_weights_are_numbers(small, tmp_path, value, says):
    parameters = random_parameters(small_config())
    parameters["proposal_generator.rpn_head.conv.bias"] = np.full_like(parameters["proposal_generator.rpn_head.conv.bias"], value, type(value))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"model": parameters}))
    result = convert(*small)
    assert result.returncode == 1 and "proposal_generator.rpn_head.conv.bias: " + says in result.stderr


def test_caffe2s_names_are_fitted_to_a_resnet_alone(tmp_path):
    """A C4 model: its stages are the backbone's, but the last one is the heads'."""
    cfg = small_config(MODEL__BACKBONE__NAME="build_resnet_backbone", MODEL__RESNETS__OUT_FEATURES=["res4"], MODEL__RPN__IN_FEATURES=["res4"],
                       MODEL__ROI_HEADS__NAME="Res5ROIHeads", MODEL__ROI_HEADS__IN_FEATURES=["res4"], MODEL__ANCHOR_GENERATOR__SIZES=[[32]],
                       MODEL__ROI_MASK_HEAD__NUM_CONV=0)
    parameters = random_parameters(cfg)
    renamed = caffe2_names.Parameters((re.sub(r"^(backbone|roi_heads)\.(stem|res\d)", r"backbone.bottom_up.\2", name), value)
                                      for name, value in parameters.items())
    assert renamed.keys() != parameters.keys()
    assert renamed.fitted_to(required_parameters(cfg)).keys() == parameters.keys()
    a, b = build_model(cfg, parameters), build_model(cfg, renamed)
    assert a.weights.keys() == b.weights.keys() and all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)


@pytest.mark.parametrize("text, message", [("a\nb\n", "expected 3 names, got 2"), ("\xff", "expected one name a line in UTF-8"), (None, "No such file")])
def test_labels_that_do_not_fit_are_refused(small, tmp_path, text, message):
    file = tmp_path / "names.txt"
    if text:
        file.write_bytes(text.encode("latin-1"))
    result = convert("--labels", file, *small)
    assert result.returncode == 1 and message in result.stderr and "names.txt" in result.stderr
