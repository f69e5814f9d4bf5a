"""evaluate/panoptic.py: PQ of https://arxiv.org/abs/1801.00868."""
import json
import pathlib

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("pycocotools")
from caffe2rt.evaluate.panoptic import PanopticMetric, Tally, load_panoptic, match, quality  # noqa: E402

CATEGORIES = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 4, "name": "dog", "isthing": 1}, {"id": 90, "name": "sky", "isthing": 0},
              {"id": 95, "name": "grass", "isthing": 0}]


def row(text):
    """(1,n) ids of a row of digits."""
    return np.array([[int(c) for c in text]])


def tally(truth, true_segments, found, found_segments):
    """{category: (sum of IoU, matched, false, missed)} of rows of ids and {id: category}; a category of a crowd is negative."""
    tallies = {c: Tally() for c in (1, 4)}
    match(row(truth), [{"id": i, "category_id": abs(c), "iscrowd": int(c < 0)} for i, c in true_segments.items()],
          row(found), [{"id": i, "category_id": c} for i, c in found_segments.items()], tallies)
    return {c: (pytest.approx(t.iou), t.matched, t.false, t.missed) for c, t in tallies.items() if t != Tally()}


def test_segments_of_a_category_match_by_more_than_half():
    assert tally("1111100000", {1: 1}, "0777700000", {7: 1}) == {1: (4 / 5, 1, 0, 0)}


def test_half_is_no_match():
    # IoU 4 / 8; what was found lies by half, not more, on void.
    assert tally("1111111100", {1: 1}, "7777000000", {7: 1}) == {1: (0, 0, 1, 1)}


def test_another_category_is_no_match():
    assert tally("1111100000", {1: 1}, "7777700000", {7: 4}) == {1: (0, 0, 0, 1), 4: (0, 0, 1, 0)}


def test_what_lies_on_void_does_not_lower_an_iou():
    assert tally("1111000000", {1: 1}, "7777777000", {7: 1}) == {1: (1, 1, 0, 0)}  # 4 / 4: three of void are left out


def test_what_lies_mostly_on_void_is_not_false():
    assert tally("1100000022", {1: 1, 2: 4}, "0777000022", {7: 1, 2: 4}) == {1: (0, 0, 0, 1), 4: (1, 1, 0, 0)}


def test_what_lies_on_a_crowd_of_its_category_is_not_false_and_a_crowd_is_not_missed():
    assert tally("1111111122", {1: -1, 2: 1}, "7770088822", {7: 1, 8: 1, 2: 1}) == {1: (1, 1, 0, 0)}
    assert tally("1111111100", {1: -1}, "7770000000", {7: 4}) == {4: (0, 0, 1, 0)}  # of another category


def test_pixels_of_a_crowd_lower_an_iou():
    assert tally("1111122222", {1: 1, 2: -1}, "7777770000", {7: 1}) == {1: (5 / 6, 1, 0, 0)}


def test_the_qualities_are_means_over_categories():
    numbers = quality([Tally(1.5, 2, 1, 1), Tally(0, 0, 0, 1), Tally()])
    # 1.5 / (2 + 1/2 + 1/2) and 0; 1.5 / 2 and 0; 2 / 3 and 0; nothing of the third
    assert numbers == {"PQ": pytest.approx(25), "SQ": pytest.approx(37.5), "RQ": pytest.approx(100 / 3)}
    assert np.isnan(quality([Tally()])["PQ"])


def slow(truth, true_segments, found, found_segments):
    """The paper's definitions, by sets of pixels."""
    tallies = {c: [0.0, 0, 0, 0] for c in (1, 4)}
    true = {s["id"]: set(np.flatnonzero(truth == s["id"])) for s in true_segments}
    seen = {s["id"]: set(np.flatnonzero(found == s["id"])) for s in found_segments}
    void = set(np.flatnonzero(truth == 0))
    for c in tallies:
        plain = [s["id"] for s in true_segments if s["category_id"] == c and not s["iscrowd"]]
        crowds = set().union(*(true[s["id"]] for s in true_segments if s["category_id"] == c and s["iscrowd"]))
        here = [s["id"] for s in found_segments if s["category_id"] == c]
        ious = {(p, g): len(seen[p] & true[g]) / len((seen[p] - void) | true[g]) for p in here for g in plain if (seen[p] - void) | true[g]}
        hits = [pair for pair, iou in ious.items() if iou > 0.5]
        tallies[c] = [sum(ious[h] for h in hits), len(hits),
                      sum(p not in [h[0] for h in hits] and len(seen[p] & (void | crowds)) <= len(seen[p]) / 2 for p in here),
                      sum(g not in [h[1] for h in hits] for g in plain)]
    return tallies


def test_random_maps_give_what_the_papers_words_give():
    rng, matched = np.random.RandomState(0), 0
    for _ in range(100):
        truth = rng.randint(0, 6, (4, 3)).repeat(5, 0).repeat(5, 1)
        found = np.where(rng.rand(*truth.shape) < 0.3, rng.randint(0, 6, truth.shape), truth) * 11
        true_segments = [{"id": i, "category_id": int(rng.choice([1, 4])), "iscrowd": int(rng.rand() < 0.2)} for i in range(1, 6)]
        found_segments = [{"id": i, "category_id": int(rng.choice([1, 4]))} for i in np.unique(found).tolist() if i]
        tallies = {c: Tally() for c in (1, 4)}
        match(truth, true_segments, found, found_segments, tallies)
        expected = slow(truth, true_segments, found, found_segments)
        for c, t in tallies.items():
            np.testing.assert_allclose([t.iou, t.matched, t.false, t.missed], expected[c])
            matched += t.matched
    assert matched > 50


@pytest.fixture
def files(tmp_path):
    """A panoptic JSON and its PNG: a dog whose id needs all three colours, over grass, and void."""
    ids = np.zeros((4, 6), int)
    ids[:2, :3], ids[2:] = 70_000 + 3, 300
    (tmp_path / "panoptic").mkdir()
    Image.fromarray(np.stack([ids % 256, ids // 256 % 256, ids // 65536], 2).astype(np.uint8)).save(tmp_path / "panoptic" / "1.png")
    data = {"images": [{"id": 5, "file_name": "1.jpg"}], "categories": CATEGORIES, "annotations": [
        {"image_id": 5, "file_name": "1.png", "segments_info": [{"id": 70_003, "category_id": 4, "iscrowd": 0}, {"id": 300, "category_id": 95, "iscrowd": 0}]}]}
    (tmp_path / "panoptic.json").write_text(json.dumps(data))
    return tmp_path / "panoptic.json", data


def add(files, segments, image_id=5, shape=(4, 6)):
    metric = PanopticMetric(load_panoptic(files[0]), files[0].parent / "panoptic")
    found = np.zeros(shape, np.int32)
    found[:2, :3], found[2:] = 1, 2
    metric.add(image_id, pathlib.Path("1.jpg"), {"panoptic_seg": (found, segments)})
    return metric.result()["panoptic"]


# A model's dog is class 1 of the things; its grass is class 2 of the stuff, where 0 is all things.
RIGHT = [{"id": 1, "isthing": True, "category_id": 1, "score": 0.9, "instance_id": 0}, {"id": 2, "isthing": False, "category_id": 2, "area": 12}]


def test_a_models_classes_are_categories_by_the_order_of_their_ids(files):
    assert add(files, RIGHT) == dict.fromkeys(["PQ", "SQ", "RQ", "PQ_th", "SQ_th", "RQ_th", "PQ_st", "SQ_st", "RQ_st"], pytest.approx(100))


def test_things_and_stuff_have_their_own_numbers(files):
    numbers = add(files, [{**RIGHT[0], "category_id": 0}, RIGHT[1]])  # a cat: one false, one missed
    assert (numbers["PQ"], numbers["PQ_th"], numbers["PQ_st"]) == pytest.approx((100 / 3, 0, 100))


@pytest.mark.parametrize("change, says", [
    (dict(segments=[{**RIGHT[0], "category_id": 2}]), "segment of class 2: the panoptic annotations have 2 categories of things"),
    (dict(segments=[{**RIGHT[1], "category_id": 3}]), "segment of class 3: the panoptic annotations have 2 categories of stuff"),
    (dict(image_id=6), "1.jpg: image 6 is not in the panoptic annotations"),
    (dict(shape=(4, 7)), "1.png: expected 7x4 pixels, as the image has, got 6x4"),
])
def test_what_does_not_fit_is_named(files, change, says):
    with pytest.raises(RuntimeError, match=says):
        add(files, **{"segments": RIGHT, **change})


def test_damaged_annotations_are_named(files):
    file, data = files
    data["annotations"][0]["segments_info"].pop()
    file.write_text(json.dumps(data))
    with pytest.raises(RuntimeError, match="1.png: segment 300 is not in the panoptic annotations"):
        add(files, RIGHT)
    data["annotations"][0]["segments_info"][0]["category_id"] = 2
    file.write_text(json.dumps(data))
    with pytest.raises(RuntimeError, match="panoptic.json: image 5: category 2 is not among the categories"):
        load_panoptic(file)
    file.write_text(json.dumps({**data, "annotations": [{"image_id": 5, "bbox": []}]}))
    with pytest.raises(RuntimeError, match="panoptic.json: annotation 0: expected image_id, file_name, segments_info, got none of: file_name, segments_info"):
        load_panoptic(file)


def test_a_model_without_panoptic_maps_has_no_pq(files):
    with pytest.raises(RuntimeError, match="makes no panoptic maps"):
        PanopticMetric(load_panoptic(files[0]), "").add(5, pathlib.Path("1.jpg"), {"instances": None})
