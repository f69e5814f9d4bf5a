"""python -m caffe2rt predict: what the command-line tool in C++ says, too."""
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from helpers import BUILD, random_parameters, small_config

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")
from caffe2rt.convert.model import build_model  # noqa: E402
from caffe2rt.convert.write import write_model  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model folder and a picture."""
    folder, cfg = tmp_path_factory.mktemp("predict"), small_config(INPUT__FORMAT="RGB")
    write_model(folder / "model", build_model(cfg, random_parameters(cfg)), "net", ["red thing", "grün", "blue"])
    Image.fromarray(np.random.RandomState(1).randint(0, 256, (9, 12, 3)).repeat(20, 0).repeat(20, 1).astype(np.uint8)).save(folder / "in.png")
    return folder / "model", folder / "in.png"


def predict(*arguments):
    return subprocess.run([sys.executable, "-m", "caffe2rt", "predict", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONPATH": str(BUILD / "python"), "PYTHONIOENCODING": "utf-8"})


def numbers(text):
    """Rows of score and box, by what was printed."""
    return np.array([[float(v) for v in m] for m in re.findall(r"(\d\.\d{3})  box ([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)", text)])


def test_says_what_the_tool_says(files):
    model, picture = files
    mine = predict(picture, "--model", model, "--threshold", 0.2)
    assert mine.returncode == 0, mine.stderr
    tool = subprocess.run([BUILD / "bin" / "caffe2_mask_rcnn", "--predict_net", model / "model.pb", "--init_net", model / "model_init.pb",
                           "--input", picture, "--threshold", "0.2"], stdout=subprocess.PIPE, text=True, check=True)
    assert len(numbers(mine.stdout)) > 3
    np.testing.assert_allclose(numbers(mine.stdout), numbers(tool.stdout), atol=0.1)
    assert "red thing" in mine.stdout or "grün" in mine.stdout or "blue" in mine.stdout


def test_draws_a_picture_of_the_same_size(files, tmp_path):
    model, picture = files
    assert predict(picture, "--model", model, "--threshold", 0.2, "--output", tmp_path / "out.png").returncode == 0
    before, after = np.asarray(Image.open(picture)), np.asarray(Image.open(tmp_path / "out.png"))
    assert after.shape == before.shape
    assert 0.01 < (after != before).any(2).mean() < 0.99


def test_takes_folders_and_labels_as_the_elements_do(files, tmp_path):
    model, picture = files
    for old, new in (("model.pb", "predict_net.pb"), ("model_init.pb", "init_net.pb")):
        (tmp_path / new).write_bytes((model / old).read_bytes())
    names = (model / "labels.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "labels.txt").write_text("\n".join(name + "\t0.3" for name in names), encoding="utf-8")
    one, other = (predict(picture, "--model", folder, "--threshold", 0.2) for folder in (model, tmp_path))
    assert other.returncode == 0, other.stderr
    assert one.stdout == other.stdout


@pytest.mark.parametrize("picture, size", [((1280, 720), (1000, 562)), ((720, 1280), (562, 1000)), ((640, 480), (800, 600)), ((2000, 100), (1000, 50))])
def test_pictures_are_as_large_as_detectron2_has_them(picture, size):
    """Its ResizeShortestEdge scales twice where the long side is too long, which may round otherwise than once."""
    from caffe2rt import caffe2_pb2
    from caffe2rt.predict import PictureMapper
    assert PictureMapper(caffe2_pb2.NetDef(), min_size=600, max_size=1000)._size(*picture) == size


def test_a_least_size_of_zero_leaves_the_picture_as_it_is(files):
    model, picture = files
    as_it_is, at_its_size = (predict(picture, "--model", model, "--threshold", 0.2, "--min-size", size, "--max-size", 1333) for size in (0, 180))
    assert len(numbers(as_it_is.stdout)) > 3
    assert as_it_is.stdout == at_its_size.stdout


@pytest.mark.parametrize("arguments, says", [
    (["nowhere.png", "--model", "MODEL"], "nowhere.png: cannot be read as an image"),
    (["PICTURE", "--model", "nowhere"], "nowhere/model_init.pb|nowhere/model.pb"),
    (["PICTURE", "--model", "MODEL", "--output", "/nowhere/out.png"], "/nowhere/out.png"),
    (["PICTURE", "--model", "MODEL", "--min-size", "-3"], "at least 0 pixels, got -3"),
])
def test_what_cannot_be_done_is_one_line_and_status_1(files, arguments, says):
    model, picture = files
    result = predict(*[{"MODEL": model, "PICTURE": picture}.get(a, a) for a in arguments])
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1 and re.search(says, result.stderr)
