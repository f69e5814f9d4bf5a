"""Nets as other versions of detectron2's exporter wrote them."""
import numpy as np
import pytest

from caffe2rt import caffe2_pb2
from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import random_parameters, small_config

KEYPOINTS = dict(MODEL__KEYPOINT_ON=True, MODEL__ROI_HEADS__NUM_CLASSES=1, MODEL__ROI_KEYPOINT_HEAD__CONV_DIMS=[16])


def with_aliases(net):
    """As later exporters had it: what BoxWithNMSLimit writes has trace numbers, and AliasWithName gives the names, the last three of
    them without `roi_`."""
    changed = caffe2_pb2.NetDef()
    changed.CopyFrom(net)
    del changed.op[:]
    for op in net.op:
        copy = changed.op.add()
        copy.CopyFrom(op)
        if op.type == "BoxWithNMSLimit":
            for i, name in enumerate(op.output):
                copy.output[i] = "trace.%d" % i
                alias = changed.op.add(type="AliasWithName", input=["trace.%d" % i], output=[name.replace("roi_", "")])
                alias.arg.add(name="name", s=name.encode())
                alias.arg.add(name="is_backward", i=0)
    return changed


@pytest.mark.parametrize("changes, output", [({}, "mask_fcn_probs"), (dict(**KEYPOINTS, MODEL__MASK_ON=False), "kps_score")], ids=["masks", "keypoints"])
def test_each_image_of_a_batch_gets_what_it_gets_alone(changes, output, tmp_path, caffe2_run):
    cfg = small_config(**changes)
    write_model(tmp_path / "model", build_model(cfg, random_parameters(cfg)), "net")
    file, net = tmp_path / "model" / "model.pb", caffe2_pb2.NetDef()
    net.ParseFromString(file.read_bytes())
    file.write_bytes(with_aliases(net).SerializeToString())

    data = np.random.RandomState(3).uniform(0, 255, (2, 3, 12, 16)).repeat(8, 2).repeat(8, 3).astype(np.float32)
    im_info = np.array([[96, 128, 1], [90, 110, 1]], np.float32)
    names = ["bbox_nms", "score_nms", "class_nms", output]

    def run(part):
        np.savez(tmp_path / "in.npz", data=data[part], im_info=im_info[part])
        return caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--blobs", ",".join(names + ["batch_splits_nms"]))
    together = run(slice(0, 2))
    first = 0
    for i, rows in enumerate(together["batch_splits_nms"].astype(int)):
        alone = run(slice(i, i + 1))
        assert rows > 0
        for name in names:
            np.testing.assert_allclose(together[name][first:first + rows], alone[name], atol=1e-3)
        first += rows


@pytest.mark.parametrize("combine_on", [0, 1])
def test_older_panoptic_nets_say_whether_they_merge(combine_on, tmp_path, caffe2_run):
    cfg = small_config(MODEL__META_ARCHITECTURE="PanopticFPN", MODEL__SEM_SEG_HEAD__CONVS_DIM=32)
    model = build_model(cfg, random_parameters(cfg))
    model.arguments["combine_on"] = combine_on
    write_model(tmp_path / "model", model, "net")
    np.savez(tmp_path / "in.npz", data=np.full((1, 3, 64, 64), 99, np.float32), im_info=np.array([[64, 64, 1]], np.float32))
    out = caffe2_run(tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz", "--formatted")
    assert "sem_seg_argmax" in out
    assert ("panoptic" in out) == bool(combine_on)
