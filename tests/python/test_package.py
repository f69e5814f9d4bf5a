"""The package caffe2rt: Caffe2Model by detectron2's interface."""
import json
import shutil
import threading
import xml.etree.ElementTree

import numpy as np
import pytest

import caffe2rt
from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import SHARED, random_parameters, small_config

pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")
from caffe2rt._runtime import Error  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    cfg = small_config()
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, build_model(cfg, random_parameters(cfg)), "net")
    return folder


@pytest.fixture(scope="module")
def image():
    return np.random.RandomState(0).randint(0, 256, (3, 12, 15)).repeat(8, 1).repeat(8, 2).astype(np.uint8)


def test_finds_objects_in_pixels_of_the_picture(folder, image):
    model = caffe2rt.Caffe2Model.load_protobuf(folder)
    small, large = model([{"image": image}, {"image": image, "height": 192, "width": 240}])
    instances = small["instances"]
    assert len(instances) > 3
    assert instances.image_size == (96, 120) and large["instances"].image_size == (192, 240)
    assert instances.pred_masks.shape == (len(instances), 96, 120) and instances.pred_masks.dtype == bool
    assert instances.pred_masks.any()
    np.testing.assert_allclose(large["instances"].pred_boxes.tensor[:3], 2 * instances.pred_boxes.tensor[:3], atol=0.5)
    assert instances.scores.dtype == np.float32 and instances.pred_classes.dtype == np.int64
    best = instances[instances.scores > instances.scores[1]]
    assert len(best) == 1 and best.pred_boxes.area()[0] > 0
    assert len(instances[-1]) == 1
    assert model([]) == []


def test_runs_blobs_and_shares_what_comes_out(folder, image):
    model = caffe2rt.Caffe2Model.load_protobuf(folder, threads=1)
    data = np.zeros((1, 3, 96, 128), np.float32)
    data[0, :, :, :120] = image
    data.flags.writeable = False
    out = model.run({"data": data, "im_info": np.array([[96, 120, 1]], np.float32)})
    assert out["bbox_nms"].shape[1] == 4
    assert not out["bbox_nms"].flags.owndata  # the engine's own memory
    np.testing.assert_allclose(np.sort(out["score_nms"])[::-1], model([{"image": image}])[0]["instances"].scores, atol=1e-6)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_an_image_that_needs_no_padding_is_not_copied(folder, image, kind):
    model = caffe2rt.Caffe2Model.load_protobuf(folder, threads=1)
    whole = np.zeros((3, 96, 128), np.float32)
    whole[:, :, :120] = image
    before, fed, runtime = whole.copy(), [], model._runtime

    class Watched:
        inputs, meta_architecture = runtime.inputs, runtime.meta_architecture

        def predict(self, feeds, sizes):
            fed.append(feeds["data"])
            return runtime.predict(feeds, sizes)
    model._runtime = Watched()
    given = whole if kind == "numpy" else pytest.importorskip("torch").from_numpy(whole)
    found = model.predict([{"image": given}])[0]["instances"]
    assert np.shares_memory(np.from_dlpack(fed[0]), whole) and (whole == before).all()
    padded = np.zeros((3, 96, 127), np.float32)
    padded[:, :, :120] = image
    assert model.predict([{"image": padded}])[0]["instances"].has("scores") and not np.shares_memory(fed[1], padded)
    turned = np.ascontiguousarray(whole[::-1])[::-1]  # as after a change of the channels' order
    np.testing.assert_array_equal(model.predict([{"image": turned}])[0]["instances"].scores, found.scores)
    whole.flags.writeable = False
    np.testing.assert_array_equal(model.predict([{"image": whole}])[0]["instances"].scores, found.scores)


@pytest.mark.parametrize("images", [[{"image": np.zeros((3, 0, 8), np.uint8)}], [{"image": np.zeros((3, 8, 8), np.uint8), "height": 0}],
                                    [{"image": np.zeros((c, 8, 8), np.uint8)} for c in (3, 1)]])
def test_images_that_make_no_sense_are_refused(folder, images):
    with pytest.raises(ValueError, match="expected"):
        caffe2rt.Caffe2Model.load_protobuf(folder).predict(images)


def test_instances_are_gone_through_one_by_one(folder, image):
    found = caffe2rt.Caffe2Model.load_protobuf(folder).predict([{"image": image}])[0]["instances"]
    assert len(found) > 1
    assert [float(one.scores[0]) for one in found] == found.scores.tolist()
    with pytest.raises(IndexError, match="object %d of %d" % (len(found), len(found))):
        found[len(found)]


def test_loads_and_saves_nets_in_memory(folder, image, tmp_path):
    first = caffe2rt.Caffe2Model.load_protobuf(folder)
    assert first.predict_net.external_output[0] == "bbox_nms"
    second = caffe2rt.Caffe2Model(first.predict_net, first.init_net)
    second.save_protobuf(tmp_path / "a")
    first.save_protobuf(tmp_path / "b")
    for name in ("model.pb", "model.pbtxt", "model_init.pb"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    third = caffe2rt.Caffe2Model.load_protobuf(tmp_path / "a")
    np.testing.assert_array_equal(third([{"image": image}])[0]["instances"].scores, first([{"image": image}])[0]["instances"].scores)
    (tmp_path / "b" / "model.pb").unlink()  # its text is left
    of_text = caffe2rt.Caffe2Model.load_protobuf(tmp_path / "b")
    np.testing.assert_array_equal(of_text([{"image": image}])[0]["instances"].scores, first([{"image": image}])[0]["instances"].scores)
    of_text.save_protobuf(tmp_path / "c")
    assert (tmp_path / "c" / "model.pbtxt").read_bytes() == (tmp_path / "a" / "model.pbtxt").read_bytes()
    assert caffe2rt.Caffe2Model.load_protobuf(tmp_path / "c").predict_net == first.predict_net


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_draws_every_operator_of_a_net(folder, tmp_path):
    model = caffe2rt.Caffe2Model.load_protobuf(folder)
    model.save_graph(tmp_path / "net.svg", inputs=[{"image": None}])  # as the programs of detectron2 call it
    nodes = [n for n in xml.etree.ElementTree.parse(tmp_path / "net.svg").iter() if n.get("class") == "node"]
    assert len(nodes) == len(model.predict_net.op) + len(model.predict_net.external_output) + 2


def test_threads_may_share_a_model(folder, image):
    model = caffe2rt.Caffe2Model.load_protobuf(folder, threads=1)
    expected = model([{"image": image}])[0]["instances"].scores
    seen = []
    workers = [threading.Thread(target=lambda: seen.append(model([{"image": image}])[0]["instances"].scores)) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert len(seen) == 4
    for scores in seen:
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_errors_say_where(folder, tmp_path):
    with pytest.raises(Error, match="nowhere/model.*no such file"):
        caffe2rt.Caffe2Model.load_protobuf(tmp_path / "nowhere")
    with pytest.raises(Error, match="device: expected cpu.*, got 'abacus'"):
        caffe2rt.Caffe2Model.load_protobuf(folder, device="abacus")
    with pytest.raises(Error, match="precision: expected auto.*, got 'float7'"):
        caffe2rt.Caffe2Model.load_protobuf(folder, precision="float7")
    model = caffe2rt.Caffe2Model.load_protobuf(folder)
    with pytest.raises(Error, match="input blob 'im_info' is not fed"):
        model.run({"data": np.zeros((1, 3, 64, 64), np.float32)})
    with pytest.raises(ValueError, match=r"expected \(C,H,W\)"):
        model([{"image": np.zeros((4, 4), np.uint8)}])
    with pytest.raises(AttributeError, match="no field 'pred_keypoints'; there are pred_boxes"):
        model([{"image": np.zeros((3, 64, 64), np.uint8)}])[0]["instances"].pred_keypoints


GOLDEN = [p for p in sorted((SHARED / "golden").glob("*/meta.json")) if (p.parent / "model.pb").exists()]


@pytest.mark.skipif(not GOLDEN, reason="no golden data")
@pytest.mark.parametrize("meta", GOLDEN, ids=[p.parent.name for p in GOLDEN])
def test_predicts_what_detectron2s_wrapper_predicted(meta):
    case, golden = json.loads(meta.read_text())["cases"][1], np.load(meta.parent / "case1.npz")
    model = caffe2rt.Caffe2Model.load_protobuf(meta.parent)
    h, w = (int(n) for n in golden["im_info"][0, :2])
    height, width = case["orig"]
    result = model([{"image": golden["data"][0, :, :h, :w], "height": height, "width": width}])[0]
    instances = result["instances"]
    assert len(instances) == len(golden["caffe2/scores"])
    np.testing.assert_allclose(np.sort(instances.scores), np.sort(golden["caffe2/scores"]), atol=1e-3)
    order, expected = instances.scores.argsort()[::-1][:3], golden["caffe2/scores"].argsort()[::-1][:3]
    np.testing.assert_allclose(instances.pred_boxes.tensor[order], golden["caffe2/boxes"][expected], atol=0.5)
    if "torch/sem_seg_argmax" in golden:
        assert (result["sem_seg"].argmax(0) == golden["caffe2/sem_seg_argmax"]).mean() > 0.999
        ids, segments = result["panoptic_seg"]
        assert set(np.unique(ids)) <= {0} | {s["id"] for s in segments}
