"""tools/get_model.py, against a file server on this machine."""
import functools
import hashlib
import http.server
import pickle
import subprocess
import sys
import threading

import pytest

from caffe2rt.convert import zoo
from caffe2rt.convert.errors import ConvertError
from helpers import ROOT, random_parameters, small_config

NAME = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder that is served, with a small model in place of NAME, and its URL."""
    root = tmp_path / "mirror"
    (root / "configs" / "COCO-InstanceSegmentation").mkdir(parents=True)
    (root / "configs" / "Base.yaml").write_text((ROOT / "tests/python/small_mask_rcnn_fpn.yaml").read_text())
    (root / "configs" / (NAME + ".yaml")).write_text("_BASE_: ../Base.yaml\nMODEL: {ROI_HEADS: {NUM_CLASSES: 80}}\nDATASETS: {TEST: [coco_2017_val]}\n")
    weights = pickle.dumps({"model": random_parameters(small_config(MODEL__ROI_HEADS__NUM_CLASSES=80))})
    monkeypatch.setitem(zoo.CHECKPOINTS, NAME, "137849600/model_final_%s.pkl" % hashlib.md5(weights).hexdigest()[:6])
    (root / NAME / "137849600").mkdir(parents=True)
    (root / NAME / zoo.CHECKPOINTS[NAME]).write_bytes(weights)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield root, "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def get_model(mirror, capsys):
    """get_model(arguments) -> (exit status, stderr) of tools/get_model.py with the mirror."""
    def run(*arguments):
        capsys.readouterr()
        return zoo.main(["--base-url", mirror[1], "--config-url", mirror[1] + "/configs", *map(str, arguments)]), capsys.readouterr().err
    return run


def test_fetches_and_converts_by_name(get_model, tmp_path):
    status, errors = get_model(NAME, "--output", tmp_path / "out")
    assert status == 0, errors
    assert (tmp_path / "out" / "model_init.pb").stat().st_size > 10_000
    assert len((tmp_path / "out" / "labels.txt").read_text().splitlines()) == 80


def test_the_folder_of_a_name_may_be_left_out_and_nothing_is_fetched_twice(get_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        status, errors = get_model("mask_rcnn_R_50_FPN_3x")
        assert status == 0, errors
    assert (tmp_path / "mask_rcnn_R_50_FPN_3x" / "model.pb").exists()
    assert len(list((tmp_path / "cache").rglob("*.*"))) == 3  # two configurations, and the weights


def test_weights_that_were_damaged_on_the_way_are_refused(mirror, get_model, tmp_path):
    file = mirror[0] / NAME / zoo.CHECKPOINTS[NAME]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    status, errors = get_model(NAME, "--output", tmp_path / "out")
    assert status == 1 and "damaged, or not what its name says" in errors and not (tmp_path / "out").exists()


def test_what_cannot_be_converted_is_refused_before_its_weights_are_fetched(mirror, get_model, tmp_path):
    (mirror[0] / "configs" / (NAME + ".yaml")).write_text("_BASE_: ../Base.yaml\nMODEL: {PROPOSAL_GENERATOR: {NAME: PrecomputedProposals}}\n")
    status, errors = get_model(NAME, "--output", tmp_path / "out")
    assert status == 1 and "MODEL.PROPOSAL_GENERATOR.NAME: expected RPN" in errors
    assert not list((tmp_path / "cache").rglob("*.pkl")) and not (tmp_path / "out").exists()


def test_what_a_mirror_does_not_have_is_named(get_model):
    status, errors = get_model("retinanet_R_50_FPN_1x")
    assert status == 1 and "/configs/COCO-Detection/retinanet_R_50_FPN_1x.yaml: 404" in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_configuration_with_an_expression_is_fetched(mirror, tmp_path):
    (mirror[0] / "configs" / "Base.yaml").write_text('MODEL: {ANCHOR_GENERATOR: {SIZES: !!python/object/apply:eval ["[[x * 2] for x in [1, 2]]"]}}\n')
    assert zoo.load_config(zoo.fetch_config(NAME, mirror[1] + "/configs/", tmp_path / "a")).MODEL.ANCHOR_GENERATOR.SIZES == [[2], [4]]


def test_the_command_line_tool_runs():
    result = subprocess.run([sys.executable, ROOT / "tools" / "get_model.py", "--list", "retinanet"], stdout=subprocess.PIPE, text=True)
    assert result.returncode == 0 and len(result.stdout.splitlines()) == 3


@pytest.mark.parametrize("base", ["../../outside.yaml", "/etc/outside.yaml"])
def test_a_base_outside_the_mirror_is_refused(mirror, tmp_path, base):
    root, url = mirror
    (root / "configs" / (NAME + ".yaml")).write_text("_BASE_: %s\n" % base)
    with pytest.raises(ConvertError, match="expected a base below http"):
        zoo.fetch_config(NAME, url + "/configs/", tmp_path / "a")


def test_a_configuration_may_not_be_based_on_itself(mirror, tmp_path):
    root, url = mirror
    (root / "configs" / "Base.yaml").write_text("_BASE_: %s.yaml\n" % NAME)
    with pytest.raises(ConvertError, match="is based on itself"):
        zoo.fetch_config(NAME, url + "/configs/", tmp_path / "a")


@pytest.mark.parametrize("name, meant", [
    ("COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml", "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x"),
    ("Panoptic_FPN_R_50_3x", "COCO-PanopticSegmentation/panoptic_fpn_R_50_3x"),
])
def test_names_are_found(name, meant):
    assert zoo.find(name) == meant


@pytest.mark.parametrize("name, says", [
    ("mask_rcnn_R50_FPN_3x", "no such model in detectron2's zoo; is it .*COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x"),
    ("COCO-Detection/retinanet_R_50_FPN", "is it COCO-Detection/retinanet_R_50_FPN_[13]x or"),
    ("mask_rcnn_R_50_FPN_1x", "expected one of COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x, LVISv0.5-InstanceSegmentation/mask_rcnn_R_50_FPN_1x"),
    ("?", r"no such model in detectron2's zoo; --list names them all"),
])
def test_names_that_are_not_there_or_not_clear_say_what_is(name, says):
    with pytest.raises(ConvertError, match=says):
        zoo.find(name)


def test_lists_names(capsys):
    assert zoo.main(["--list", "DCONV"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert zoo.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(zoo.CHECKPOINTS) == 52
    assert zoo.main([]) == 1 and "expected a NAME, or --list" in capsys.readouterr().err


def test_a_checkpoint_is_named_by_its_number():
    assert zoo.CHECKPOINTS["Misc/mask_rcnn_R_50_FPN_3x_gn"] == "138602888/model_final_dc5d9e.pkl"
    assert zoo.CHECKPOINTS["Misc/cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv"] == "18131413/model_0039999_e76410.pkl"
