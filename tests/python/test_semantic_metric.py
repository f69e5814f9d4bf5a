"""evaluate/semantic.py: mIoU."""
import pathlib

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
from caffe2rt.evaluate.semantic import SemanticMetric  # noqa: E402


def logits(classes, count=3):
    """(count,H,W) scores whose best class is given."""
    return (np.arange(count)[:, None, None] == np.array(classes)).astype(np.float32)


@pytest.fixture
def judge(tmp_path):
    """judge((truth, found), ...): the metrics of some images."""
    def judged(*images, ignore=255):
        metric = SemanticMetric(tmp_path, ignore)
        (tmp_path / "a").mkdir(exist_ok=True)
        for i, (truth, found) in enumerate(images):
            Image.fromarray(np.array(truth, np.uint8)).save(tmp_path / "a" / ("%d.png" % i))
            metric.add(i, pathlib.Path("a/%d.jpg" % i), {"sem_seg": logits(found)})
        return metric.result()["sem_seg"]
    return judged


def test_counts_pixels_of_all_images_together(judge):
    # Class 0: 3 right of 4 true and 4 found, IoU 3/5. Class 1: 1 right of 2 true, 2 found: 1/3. Class 2 is nowhere true.
    numbers = judge(([[0, 0, 0, 1]], [[0, 0, 0, 0]]), ([[0, 1]], [[1, 1]]))
    assert numbers == {"mIoU": pytest.approx(100 * (3 / 5 + 1 / 3) / 2), "fwIoU": pytest.approx(100 * (4 * 3 / 5 + 2 / 3) / 6),
                       "mACC": pytest.approx(100 * (3 / 4 + 1 / 2) / 2), "pACC": pytest.approx(100 * 4 / 6)}


def test_ignored_pixels_count_nowhere(judge):
    assert judge(([[0, 1, 255, 255]], [[0, 1, 2, 0]]))["mIoU"] == pytest.approx(100)
    assert judge(([[0, 1, 2, 2]], [[0, 1, 0, 1]]), ignore=2)["mIoU"] == pytest.approx(100)
    assert np.isnan(judge(([[255]], [[0]]))["mIoU"])


def test_a_class_that_is_found_but_nowhere_true_lowers_no_mean_of_its_own(judge):
    assert judge(([[0, 0, 1, 1]], [[0, 2, 1, 1]]))["mIoU"] == pytest.approx(75)


@pytest.mark.parametrize("truth, says", [
    ([[0, 3]], "a/0.png: class 3: the model has 3"),
    ([[0, 1, 2]], "a/0.png: expected 2x1 pixels, as the image has, got 3x1"),
    ([[[0, 0, 0], [1, 1, 1]]], "a/0.png: expected one channel of class ids"),
])
def test_truth_that_does_not_fit_is_named(judge, truth, says):
    with pytest.raises(RuntimeError, match=says):
        judge((truth, [[0, 0]]))


def test_truth_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RuntimeError, match="b.png: cannot be read as an image"):
        SemanticMetric(tmp_path).add(1, pathlib.Path("b.jpg"), {"sem_seg": logits([[0]])})
    with pytest.raises(RuntimeError, match="makes no semantic maps"):
        SemanticMetric(tmp_path).add(1, pathlib.Path("b.jpg"), {})
