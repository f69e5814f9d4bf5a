"""python -m caffe2rt evaluate: average precision in COCO's sense."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from helpers import BUILD, ROOT, random_parameters, small_config

Image = pytest.importorskip("PIL.Image")
coco_mask = pytest.importorskip("pycocotools.mask")
pytest.importorskip("tqdm")
pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")
from caffe2rt import Boxes, Instances  # noqa: E402
from caffe2rt.convert.model import build_model  # noqa: E402
from caffe2rt.convert.write import write_model  # noqa: E402
from caffe2rt.evaluate.coco import CocoMetric, average_precision, load_annotations, to_results  # noqa: E402

CATEGORIES = [7, 3, 9]  # a class's place is that of its id among the sorted ones


def annotations_of(instances, image_id=1, **image):
    """COCO annotations that say just what was found."""
    annotations = []
    for i, result in enumerate(to_results(instances, image_id, sorted(CATEGORIES))):
        rle = result["segmentation"]
        annotations.append({"id": i + 1, "image_id": image_id, "category_id": result["category_id"], "bbox": result["bbox"], "iscrowd": 0,
                            "area": float(coco_mask.area(rle)), "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()}})
    return {"images": [{"id": image_id, **image}], "annotations": annotations, "categories": [{"id": c, "name": str(c)} for c in CATEGORIES]}


def squares(*boxes, classes=None):
    masks = np.zeros((len(boxes), 100, 100), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask[y1:y2, x1:x2] = True
    return Instances((100, 100), pred_boxes=Boxes(np.array(boxes, np.float32)), scores=np.linspace(0.9, 0.5, len(boxes)).astype(np.float32),
                     pred_classes=np.array(classes or [0] * len(boxes)), pred_masks=masks)


@pytest.fixture
def truth(tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps(annotations_of(squares((10, 10, 50, 50), (60, 60, 90, 90), classes=[0, 2]), width=100, height=100, file_name="1.png")))
    return load_annotations(tmp_path / "truth.json")


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_what_is_right_scores_a_hundred(truth, kind):
    found = to_results(squares((10, 10, 50, 50), (60, 60, 90, 90), classes=[0, 2]), 1, sorted(CATEGORIES))
    assert average_precision(truth, found, kind)["AP"] == pytest.approx(100)


def test_the_wrong_class_and_the_wrong_place_score_nothing(truth):
    found = to_results(squares((10, 10, 50, 50), (0, 60, 30, 90), classes=[1, 2]), 1, sorted(CATEGORIES))
    assert average_precision(truth, found, "bbox")["AP"] == pytest.approx(0)
    assert average_precision(truth, [], "bbox")["AP"] == 0


def test_a_box_that_is_off_by_a_little_scores_by_its_overlap(truth):
    found = to_results(squares((10, 10, 50, 58), (60, 60, 90, 90), classes=[0, 2]), 1, sorted(CATEGORIES))  # IoU 40 / 48
    # Found at thresholds 0.5 to 0.8 of the ten: 7 of 10; the other class is right.
    assert average_precision(truth, found, "bbox")["AP"] == pytest.approx(85)


def test_a_class_without_a_category_is_an_error():
    with pytest.raises(RuntimeError, match="class 3: the annotations have 3 categories"):
        to_results(squares((1, 1, 2, 2), classes=[3]), 1, CATEGORIES)


def test_rotated_boxes_are_an_error():
    from caffe2rt import RotatedBoxes
    with pytest.raises(RuntimeError, match="expected upright boxes"):
        to_results(Instances((9, 9), pred_boxes=RotatedBoxes(np.zeros((1, 5))), scores=np.ones(1), pred_classes=np.zeros(1, int)), 1, CATEGORIES)


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "caffe2rt", "evaluate", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONPATH": str(BUILD / "python")})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A model, another one, and annotations that agree with the first."""
    folder, cfg = tmp_path_factory.mktemp("evaluate"), small_config()
    for seed, name in enumerate(("model", "other")):
        write_model(folder / name, build_model(cfg, random_parameters(cfg, seed)), "net")
    picture = Image.fromarray(np.random.RandomState(1).randint(0, 256, (9, 12, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8))
    picture.save(folder / "1.png")
    from caffe2rt.predict import Predictor
    seen = Predictor(folder / "model")(picture)["instances"]
    seen = seen[np.array([m.any() for m in seen.pred_masks])]
    assert len(seen) > 2
    (folder / "truth.json").write_text(json.dumps(annotations_of(seen, file_name="1.png", width=96, height=72)))
    return folder


def test_a_model_is_as_good_as_itself(data):
    result = run("--model", data / "model", "--images", data, "--annotations", data / "truth.json", "--reference", data / "model")
    assert result.returncode == 0, result.stderr
    rows = {tuple(line.split()[:2]): [float(v) for v in line.split()[2:]] for line in result.stdout.splitlines()[1:]}
    assert rows["bbox", "AP"][0] > 95 and rows["segm", "AP"][0] > 95
    assert all(row[2] == 0 or np.isnan(row[2]) for row in rows.values())


def test_another_model_is_found_out(data):
    result = run("--model", data / "other", "--images", data, "--annotations", data / "truth.json", "--reference", data / "model")
    assert result.returncode == 1
    assert "AP differs by" in result.stderr


def written(tmp_path, change):
    truth = annotations_of(squares((10, 10, 50, 50), (60, 60, 90, 90), classes=[0, 2]), width=100, height=100, file_name="1.png")
    change(truth)
    (tmp_path / "changed.json").write_text(json.dumps(truth))
    return tmp_path / "changed.json"


def test_what_annotations_need_not_say(tmp_path, capsys):
    def change(truth):
        truth["annotations"].append({**truth["annotations"][0], "id": 99, "image_id": 2})  # of an image that was left out
        for annotation in truth["annotations"]:
            del annotation["iscrowd"], annotation["area"]
        truth["annotations"][0]["segmentation"] = []  # of boxes alone
    metric = CocoMetric(load_annotations(written(tmp_path, change)))
    metric.add(1, pathlib.Path("1.png"), {"instances": squares((10, 10, 50, 50), (60, 60, 90, 90), classes=[0, 2])})
    assert metric.result().keys() == {"bbox"} and metric.result()["bbox"]["AP"] > 99
    assert "segm: not judged: 1 of 2 annotations have no segmentation" in capsys.readouterr().err


@pytest.mark.parametrize("change, says", [
    (lambda t: t["annotations"][1].pop("bbox"), "annotation 1: expected id, image_id, category_id, bbox, got none of: bbox"),
    (lambda t: t["annotations"][0].update(bbox=[1, 2]), "annotation 0: expected a bbox of four numbers, got .1, 2."),
    (lambda t: t["images"][0].pop("file_name"), "image 0: expected id, file_name, got none of: file_name"),
    (lambda t: t["images"].append({"id": "2", "file_name": "2.png"}), "expected ids of images of one type, got int and str"),
    (lambda t: (t["images"][0].pop("height"), t["annotations"][0].update(segmentation=[[0, 0, 1, 0, 1, 1]])), "the image of annotation 0.*none of: height"),
])
def test_what_annotations_lack_is_named(tmp_path, change, says):
    with pytest.raises(RuntimeError, match="changed.json: .*" + says):
        load_annotations(written(tmp_path, change))


def test_keypoints_have_a_sigma_each(tmp_path):
    def change(truth):
        for annotation in truth["annotations"]:
            annotation.update(keypoints=[20, 20, 2, 30, 30, 2], num_keypoints=2)
    coco = load_annotations(written(tmp_path, change))
    found = squares((10, 10, 50, 50), (60, 60, 90, 90), classes=[0, 2])
    found.set("pred_keypoints", np.tile(np.float32([[24, 24, 1], [34, 34, 1]]), (2, 1, 1)))
    with pytest.raises(RuntimeError, match="keypoints: model and annotations have 2, and there are sigmas of 17"):
        CocoMetric(coco).add(1, pathlib.Path("1.png"), {"instances": found})

    def ap(sigmas):
        metric = CocoMetric(coco, sigmas=sigmas)
        metric.add(1, pathlib.Path("1.png"), {"instances": found})
        return metric.result()["keypoints"]["AP"]
    assert ap([0.5, 0.5]) > 90 > ap([0.02, 0.02])


@pytest.mark.parametrize("annotations, says", [("nowhere.json", "nowhere.json: expected COCO annotations"), ("1.png", "1.png: expected COCO annotations")])
def test_bad_annotations_are_one_line_and_status_1(data, annotations, says):
    result = run("--model", data / "model", "--images", data, "--annotations", data / annotations)
    assert result.returncode == 1 and says in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_the_converter_evaluates_what_it_wrote(data):
    """--run-eval, on a data set that lies where detectron2 looks for coco_2017_val."""
    import pickle
    import shutil
    coco = data / "datasets" / "coco"
    (coco / "val2017").mkdir(parents=True)
    (coco / "annotations").mkdir()
    shutil.copy(data / "1.png", coco / "val2017")
    shutil.copy(data / "truth.json", coco / "annotations" / "instances_val2017.json")
    (data / "model.pkl").write_bytes(pickle.dumps(random_parameters(small_config())))

    def convert(data_set):
        return subprocess.run([sys.executable, ROOT / "tools" / "caffe2_converter.py", "--config-file", ROOT / "tests/python/small_mask_rcnn_fpn.yaml",
                               "--output", data / "converted", "--run-eval", "MODEL.WEIGHTS", data / "model.pkl", "DATASETS.TEST", "('%s',)" % data_set],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(BUILD / "python"), "DETECTRON2_DATASETS": str(data / "datasets")})
    result = convert("coco_2017_val")
    assert result.returncode == 0, result.stderr
    ap = [line.split() for line in result.stdout.splitlines() if " AP " in line]
    assert [line[0] for line in ap] == ["bbox", "segm"] and all(float(line[2]) > 95 for line in ap)
    result = convert("coco_2017_test")
    assert result.returncode == 1 and "DATASETS.TEST: expected one of coco_2014_minival" in result.stderr


def test_a_missing_image_is_named(data):
    result = run("--model", data / "model", "--images", "/nowhere", "--annotations", data / "truth.json")
    assert result.returncode == 1 and "/nowhere/1.png: cannot be read as an image" in result.stderr
