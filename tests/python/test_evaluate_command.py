"""python -m caffe2rt evaluate: kinds of truth, columns and references."""
import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest

import stand_in_detectron2
from helpers import BUILD, ROOT, random_parameters, small_config

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("pycocotools")
pytest.importorskip("tqdm")
pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")
from caffe2rt import __main__, interop  # noqa: E402
from caffe2rt.convert.model import build_model  # noqa: E402
from caffe2rt.convert.write import write_model  # noqa: E402
from caffe2rt.evaluate.coco import to_results  # noqa: E402
from caffe2rt.predict import Predictor  # noqa: E402

THINGS, STUFF = [3, 7, 9], list(range(20, 73))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A PanopticFPN, another one, two pictures, and truth of all kinds that agrees with the first."""
    folder = tmp_path_factory.mktemp("evaluate")
    cfg = small_config(MODEL__META_ARCHITECTURE="PanopticFPN", MODEL__SEM_SEG_HEAD__CONVS_DIM=32,
                       MODEL__PANOPTIC_FPN__COMBINE__INSTANCES_CONFIDENCE_THRESH=0.2, MODEL__PANOPTIC_FPN__COMBINE__STUFF_AREA_LIMIT=64)
    for seed, name in enumerate(("model", "other")):
        write_model(folder / name, build_model(cfg, random_parameters(cfg, seed)), "net")
    predictor, images, annotations, panoptic = Predictor(folder / "model"), [], [], []
    for kind in ("images", "semantic", "panoptic"):
        (folder / kind / "sub").mkdir(parents=True)
    for image_id, name in ((4, "sub/b"), (2, "a")):
        pixels = np.random.RandomState(image_id).randint(0, 256, (9, 12, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / (name + ".png"))
        seen = predictor(Image.fromarray(pixels))
        images.append({"id": image_id, "file_name": name + ".png", "width": 96, "height": 72})
        found = seen["instances"][np.array([m.sum() > 100 for m in seen["instances"].pred_masks])]
        for result in to_results(found, image_id, THINGS):
            rle = result["segmentation"]
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, "category_id": result["category_id"], "bbox": result["bbox"],
                                "area": 1000, "iscrowd": 0, "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()}})
        Image.fromarray(seen["sem_seg"].argmax(0).astype(np.uint8)).save(folder / "semantic" / (name + ".png"))
        ids, segments = seen["panoptic_seg"]
        Image.fromarray(np.stack([ids, 0 * ids, 0 * ids], 2).astype(np.uint8)).save(folder / "panoptic" / (name + ".png"))
        panoptic.append({"image_id": image_id, "file_name": name + ".png", "segments_info": [
            {"id": s["id"], "iscrowd": 0, "category_id": THINGS[s["category_id"]] if s["isthing"] else STUFF[s["category_id"] - 1]} for s in segments]})
    categories = [{"id": c, "name": str(c), "isthing": int(c in THINGS)} for c in THINGS + STUFF]
    (folder / "truth.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories[:3]}))
    (folder / "panoptic.json").write_text(json.dumps({"images": images, "annotations": panoptic, "categories": categories}))
    return folder


@pytest.fixture
def judge(data, capsys):
    """judge(arguments): status, {(kind, metric): cells}, header, what was said on stderr."""
    def run(*arguments, model="model"):
        status = __main__.main(["evaluate", "--model", str(data / model), "--images", str(data / "images"), "--threads", "1", *map(str, arguments)])
        out, err = capsys.readouterr()
        lines = out.splitlines() or [""]
        return status, {tuple(line.split()[:2]): line.split()[2:] for line in lines[1:]}, lines[0], err
    return run


def test_a_model_is_judged_by_every_truth_that_is_given(data, judge):
    status, rows, _, err = judge("--annotations", data / "truth.json", "--sem-seg-root", data / "semantic", "--panoptic-json", data / "panoptic.json")
    assert status == 0 and err == ""
    assert float(rows["bbox", "AP"][0]) > 80 and float(rows["segm", "AP"][0]) > 80
    for metric in (("sem_seg", "mIoU"), ("sem_seg", "pACC"), ("panoptic", "PQ"), ("panoptic", "SQ"), ("panoptic", "RQ"), ("panoptic", "PQ_st")):
        assert float(rows[metric][0]) == pytest.approx(100), metric
    assert judge("--panoptic-json", data / "panoptic.json", "--panoptic-root", data / "panoptic")[1] == {k: v for k, v in rows.items() if k[0] == "panoptic"}


def test_semantic_maps_alone_need_no_json(data, judge):
    assert judge("--sem-seg-root", data / "semantic")[1]["sem_seg", "mIoU"] == ["100.000"]


def test_another_model_is_too_far_in_each_kind(data, judge):
    status, rows, _, err = judge("--sem-seg-root", data / "semantic", "--panoptic-json", data / "panoptic.json", "--reference", data / "model",
                                 model="other")
    assert status == 1 and float(rows["panoptic", "PQ"][2]) < -10
    assert "model: sem_seg mIoU differs by -" in err and "model: panoptic PQ differs by -" in err


def test_precisions_and_devices_get_a_column_each(data, judge, monkeypatch):
    asked = []

    class Spy(Predictor):
        def __init__(self, folder, *, device="cpu", precision="auto", **options):
            asked.append((device, precision))
            if device == "cuda" and precision == "int8":
                raise RuntimeError("no such kernel")
            super().__init__(folder, **options)
    monkeypatch.setattr("caffe2rt.predict.Predictor", Spy)
    arguments = ["--sem-seg-root", data / "semantic", "--precision", "fp32,int8"]
    status, rows, header, _ = judge(*arguments)
    assert asked == [("cpu", "fp32"), ("cpu", "int8")]
    assert re.split(" {2,}", header.strip()) == ["fp32 cpu", "int8 cpu", "difference"] and rows["sem_seg", "mIoU"] == ["100.000", "100.000", "0.000"]
    status, _, _, err = judge(*arguments, "--device", "cpu,cuda")
    assert status == 1 and err == "caffe2rt: error: no such kernel\n"  # asked for by name
    status, rows, _, err = judge(*arguments, "--device", "all")
    assert status == 0 and err == "int8 cuda: not available: no such kernel\n"
    assert rows["sem_seg", "mIoU"] == ["100.000"] * 3 + ["-"] + ["0.000"] * 2


def test_what_the_engine_does_not_have_is_an_error_before_any_image_is_looked_at(data, judge):
    status, _, header, err = judge("--sem-seg-root", "/nowhere", "--precision", "fp32,float7")
    assert status == 1 and header == "" and re.search("precision: expected auto, fp32.*float7", err) and len(err.splitlines()) == 1


REFERENCE = """
import numpy as np, torch
from caffe2rt import Caffe2Model, structures

def load(folder):
    model = Caffe2Model.load_protobuf(folder)
    def call(inputs):
        (x,) = inputs
        assert x["image"].dtype == torch.uint8 and x["image"].shape == (3, 64, 85) and (x["height"], x["width"]) == (72, 96)
        assert not torch.is_grad_enabled()
        found = model.predict([x])[0]
        ids, segments = found["panoptic_seg"]
        return [{"instances": found["instances"][DROPPED:], "sem_seg": torch.tensor(found["sem_seg"]), "panoptic_seg": (torch.tensor(ids), segments)}]
    return call
"""


def test_a_pytorch_model_is_a_reference(data, judge, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "same_model.py").write_text(REFERENCE.replace("DROPPED", "0"))
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("DROPPED = 3\n")
    (tmp_path / "package" / "worse_model.py").write_text("from . import DROPPED\n" + REFERENCE)
    truth = ["--annotations", data / "truth.json", "--sem-seg-root", data / "semantic"]
    status, rows, header, err = judge(*truth, "--pytorch", "%s:load" % (tmp_path / "same_model.py"))
    assert status == 0 and header.split() == ["model", "PyTorch", "difference"], err
    assert float(rows["bbox", "AP"][2]) == 0
    status, rows, _, err = judge(*truth, "--pytorch", "%s:load" % (tmp_path / "package" / "worse_model.py"), "--pytorch-weights", data / "model")
    assert status == 1 and "model: bbox AP differs by" in err and float(rows["sem_seg", "mIoU"][2]) == 0


@pytest.mark.parametrize("name, says", [
    ("nowhere", "--pytorch: expected MODULE:FUNCTION, got 'nowhere'"),
    ("no_such_module:load", "--pytorch: no_such_module: No module named"),
    ("/nowhere.py:load", "--pytorch: /nowhere.py: no such file"),
    ("json:load_all", "--pytorch: 'json' has no function 'load_all'"),
])
def test_a_reference_that_is_not_there_is_named(data, judge, name, says):
    status, _, _, err = judge("--sem-seg-root", data / "semantic", "--pytorch", name)
    assert status == 1 and says in err and len(err.splitlines()) == 1


# What columns.py asks of detectron2: a configuration, and a predictor of BGR pictures.
CONFIG = """
import types

class Node(types.SimpleNamespace):
    def merge_from_file(self, file):
        self.file = file

    def merge_from_list(self, opts):
        for key, value in zip(opts[::2], opts[1::2]):
            setattr(self.MODEL, key.split(".")[1], value)

def get_cfg():
    return Node(MODEL=Node(DEVICE="cuda", WEIGHTS=""))
"""
ENGINE = """
import numpy as np, torch
from caffe2rt.predict import Predictor
from PIL import Image
from .structures import Boxes, Instances

class DefaultPredictor:
    def __init__(self, cfg):
        assert cfg.MODEL.DEVICE == "cpu" or torch.cuda.is_available()
        assert cfg.file.endswith("net.yaml")
        self.model = Predictor(cfg.MODEL.WEIGHTS)

    def __call__(self, bgr):
        found = self.model(Image.fromarray(bgr[:, :, ::-1]))["instances"]
        fields = {k: torch.tensor(v) for k, v in found.get_fields().items() if k != "pred_boxes"}
        return {"instances": Instances(found.image_size, pred_boxes=Boxes(torch.tensor(found.pred_boxes.tensor)), **fields)}
"""


@pytest.fixture
def detectron2(tmp_path, monkeypatch):
    stand_in_detectron2.make(tmp_path / "stand_in", config=CONFIG, engine=ENGINE)
    monkeypatch.syspath_prepend(tmp_path / "stand_in")
    interop.detectron2_structures.cache_clear()
    yield tmp_path / "stand_in"
    for name in [n for n in sys.modules if n.split(".")[0] == "detectron2"]:
        del sys.modules[name]
    interop.detectron2_structures.cache_clear()


def test_detectron2s_own_model_is_a_reference(data, judge, detectron2):
    pytest.importorskip("torch")
    truth = ["--annotations", data / "truth.json"]
    status, rows, header, err = judge(*truth, "--detectron2", "--config-file", "net.yaml", "MODEL.WEIGHTS", data / "model")
    assert status == 0 and header.split() == ["model", "detectron2", "difference"] and float(rows["segm", "AP"][2]) == 0, err
    status, _, _, err = judge(*truth, "--detectron2", "--config-file", "net.yaml", "MODEL.WEIGHTS", data / "other")
    assert status == 1 and "model: bbox AP differs by" in err
    assert judge(*truth, "--detectron2")[3] == "caffe2rt: error: --detectron2: expected --config-file YAML\n"


def test_without_detectron2_it_cannot_be_the_reference(data, judge):
    status, _, _, err = judge("--annotations", data / "truth.json", "--detectron2", "--config-file", "net.yaml")
    assert status == 1 and err.startswith("caffe2rt: error: --detectron2: detectron2 is not installed")


@pytest.mark.parametrize("arguments, says", [
    ([], "expected --annotations, --sem-seg-root or --panoptic-json"),
    (["--sem-seg-root", "/nowhere", "int8"], "'int8': only --detectron2 takes a configuration"),
    (["--sem-seg-root", "/nowhere"], "/nowhere/a.png: cannot be read as an image"),
    (["--panoptic-json", "/nowhere.json"], "/nowhere.json: expected COCO panoptic annotations"),
])
def test_what_cannot_be_done_is_one_line_and_status_1(judge, arguments, says):
    status, _, _, err = judge(*arguments)
    assert status == 1 and says in err and len(err.splitlines()) == 1


def test_progress_shows_the_time_that_is_left(data):
    terminal, end = pty.openpty()
    subprocess.run([sys.executable, "-m", "caffe2rt", "evaluate", "--model", data / "model", "--images", data / "images", "--sem-seg-root",
                    data / "semantic"], stdout=subprocess.DEVNULL, stderr=end, check=True, env={**os.environ, "PYTHONPATH": str(BUILD / "python")})
    os.close(end)
    assert re.search(r"2/2 \[\d\d:\d\d<\d\d:\d\d, .*image", os.read(terminal, 100_000).decode())
    os.close(terminal)


def test_the_converter_judges_panoptic_data_sets_and_compares_with_detectron2(data, tmp_path, detectron2):
    """--run-eval, with the files where detectron2 looks for coco_2017_val_panoptic_separated."""
    import pickle
    coco = tmp_path / "datasets" / "coco"
    (coco / "annotations").mkdir(parents=True)
    for place, name in (("val2017", "images"), ("panoptic_stuff_val2017", "semantic"), ("panoptic_val2017", "panoptic"),
                        ("annotations/instances_val2017.json", "truth.json"), ("annotations/panoptic_val2017.json", "panoptic.json")):
        (coco / place).symlink_to(data / name)
    changes = ["MODEL.META_ARCHITECTURE", "PanopticFPN", "MODEL.SEM_SEG_HEAD.CONVS_DIM", "32"]
    cfg = small_config(**{k.replace(".", "__"): int(v) if v.isdigit() else v for k, v in zip(changes[::2], changes[1::2])})
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(random_parameters(cfg)))
    (tmp_path / "net.yaml").write_text((ROOT / "tests/python/small_mask_rcnn_fpn.yaml").read_text())
    # The stand-in's model is a converted one; it has no maps.
    engine = detectron2 / "detectron2" / "engine.py"
    engine.write_text(ENGINE.replace("cfg.MODEL.WEIGHTS", repr(str(data / "other"))).replace("return {", 'return {**self.model(Image.fromarray(bgr[:, :, ::-1])), '))
    result = subprocess.run([sys.executable, ROOT / "tools" / "caffe2_converter.py", "--config-file", tmp_path / "net.yaml", "--output", tmp_path / "out",
                             "--run-eval", "MODEL.WEIGHTS", tmp_path / "model.pkl", "DATASETS.TEST", "('coco_2017_val_panoptic_separated',)", *changes],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": str(detectron2), "DETECTRON2_DATASETS": str(tmp_path / "datasets")})
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in result.stdout.splitlines()}
    assert float(rows["sem_seg", "mIoU"][0]) > 95 and float(rows["bbox", "AP"][0]) > 80 and float(rows["panoptic", "PQ"][2]) > 1, result.stderr
    assert result.returncode == 1 and "model: sem_seg mIoU differs by" in result.stderr
