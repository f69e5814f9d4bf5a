"""convert/checkpoint.py and pickles.py: every kind of checkpoint, and hostile ones."""
import argparse
import collections
import datetime
import io
import json
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from caffe2rt.convert.checkpoint import read_checkpoint
from caffe2rt.convert.errors import ConvertError
from caffe2rt.convert.pickles import load_pickle

VALUES = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.bias": np.array([1.5, -2], np.float32)}


def same(read, expected=VALUES):
    assert read.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(read[name], expected[name])


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_detectron2s_pickle(tmp_path, protocol):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": VALUES, "__author__": "someone", "epoch": np.float64(3)}, protocol))
    same(read_checkpoint(tmp_path / "m.pkl"))


def test_half_and_double_become_float32(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"a.weight": np.array([1, 2], np.float16), "b.weight": np.array([3.0])}))
    read = read_checkpoint(tmp_path / "m.pkl")
    assert {v.dtype for v in read.values()} == {np.dtype(np.float32)}


class _Attack:
    def __init__(self, call, *args):
        self.call = (call, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("attack, wanted", [
    (_Attack(os.system, "touch HACKED"), r"posix\.system"),
    (_Attack(eval, "1"), r"builtins\.eval"),
    (_Attack(getattr, 1, "real"), r"builtins\.getattr"),
    (_Attack(np.load, "x", None, True), r"numpy\.load|numpy.*load"),
])
def test_a_hostile_pickle_is_refused_by_name_of_what_it_wanted(tmp_path, monkeypatch, attack, wanted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": {"a.weight": attack}}))
    with pytest.raises(ConvertError, match=r"m\.pkl: refused: it asks for " + wanted):
        read_checkpoint(tmp_path / "m.pkl")
    assert not (tmp_path / "HACKED").exists()


def test_an_array_of_objects_is_refused():
    with pytest.raises(ConvertError, match="dtype object"):
        load_pickle(pickle.dumps(np.array([{}, []], object)))


@pytest.mark.parametrize("data", [b"", b"\x80\x04garbage", b"PK\x03\x04", pickle.dumps(VALUES)[:-9]])
def test_damaged_pickles_are_refused(tmp_path, data):
    (tmp_path / "m.pkl").write_bytes(data)
    with pytest.raises(ConvertError, match="m.pkl: expected a pickle"):
        read_checkpoint(tmp_path / "m.pkl")


def test_a_checkpoint_without_arrays_is_refused(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": {}}))
    with pytest.raises(ConvertError, match="expected arrays by name, got none"):
        read_checkpoint(tmp_path / "m.pkl")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(ConvertError, match="expected a dict of arrays, got list"):
        read_checkpoint(tmp_path / "m.pkl")
    with pytest.raises(ConvertError, match="nowhere.pkl: No such file"):
        read_checkpoint(tmp_path / "nowhere.pkl")


# torch's files, written without torch: a pickler that refers to storages as torch.save does.
class _Named:
    def __init__(self, module, name):
        self.module, self.name = module, name


class _Tensor:
    def __init__(self, key, array, kind="FloatStorage"):
        self.key, self.array, self.kind = key, array, kind


class _TorchPickler(pickle._Pickler):
    dispatch = dict(pickle._Pickler.dispatch)
    extra = ()

    def persistent_id(self, obj):
        if isinstance(obj, tuple) and obj and obj[0] == "storage":
            return obj
        return None

    def save_named(self, obj):
        self.write(pickle.GLOBAL + ("%s\n%s\n" % (obj.module, obj.name)).encode())

    def save_tensor(self, tensor):
        shape = tensor.array.shape
        strides = tuple(int(np.prod(shape[i + 1:])) for i in range(len(shape)))
        storage = ("storage", _Named("torch", tensor.kind), tensor.key, "cpu", tensor.array.size, *self.extra)
        self.save_named(_Named("torch._utils", "_rebuild_tensor_v2"))
        self.save((storage, 0, shape, strides, False, collections.OrderedDict()))
        self.write(pickle.REDUCE)

    dispatch[_Named] = save_named
    dispatch[_Tensor] = save_tensor


def torch_pickle(obj, extra=()):
    stream = io.BytesIO()
    pickler = _TorchPickler(stream, 2)
    pickler.extra = extra
    pickler.dump(obj)
    return stream.getvalue()


def write_torch(path, tensors, shorten=0):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", torch_pickle({"model": tensors}))
        for tensor in tensors.values():
            data = tensor.array.tobytes()
            archive.writestr("archive/data/" + tensor.key, data[:len(data) - shorten])


def test_torchs_archive(tmp_path):
    write_torch(tmp_path / "m.pth", {n: _Tensor(str(i), v) for i, (n, v) in enumerate(VALUES.items())})
    same(read_checkpoint(tmp_path / "m.pth"))


def test_bfloat16_is_the_upper_half_of_a_float(tmp_path):
    bits = (np.array([1.5, -2], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    write_torch(tmp_path / "m.pth", {"a.bias": _Tensor("0", bits, "BFloat16Storage")})
    same(read_checkpoint(tmp_path / "m.pth"), {"a.bias": np.array([1.5, -2], np.float32)})


def test_a_storage_that_is_too_short_is_refused(tmp_path):
    write_torch(tmp_path / "m.pth", {"a.bias": _Tensor("0", VALUES["a.bias"])}, shorten=4)
    with pytest.raises(ConvertError, match="storage 0: expected 8 bytes, got 4"):
        read_checkpoint(tmp_path / "m.pth")


def torch_stream(tensors):
    data = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    data += torch_pickle(tensors, extra=(None,)) + pickle.dumps([t.key for t in tensors.values()], 2)
    for tensor in tensors.values():
        data += struct.pack("<q", tensor.array.size) + tensor.array.tobytes()
    return data


def test_torchs_older_stream(tmp_path):
    data = torch_stream({n: _Tensor(str(i), v) for i, (n, v) in enumerate(VALUES.items())})
    (tmp_path / "m.pth").write_bytes(data)
    same(read_checkpoint(tmp_path / "m.pth"))
    (tmp_path / "m.pth").write_bytes(data[:-3])
    with pytest.raises(ConvertError, match="storage 1: expected 2 elements"):
        read_checkpoint(tmp_path / "m.pth")


def test_a_trainers_state_beside_the_weights_is_passed_over(tmp_path):
    state = {"milestones": collections.Counter([3, 3]), "seen": {1, 2}, "last": collections.deque([1.0], 20),
             "args": argparse.Namespace(output=pathlib.Path("x"), since=datetime.datetime(2020, 1, 1)), "by_name": collections.defaultdict(list, a=[1]), "counts": collections.defaultdict(int), "names": collections.defaultdict(str)}
    for protocol in (2, 5):
        (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": VALUES, "scheduler": state}, protocol))
        same(read_checkpoint(tmp_path / "m.pkl"))


@pytest.mark.parametrize("shape, count, named", [((1 << 20, 1 << 10), 1, r"\(1048576, 1024\)"), ((1 << 20, 12), 6, r"\(1048576, 12\)")])
def test_tensors_that_would_fill_the_memory_are_refused(tmp_path, shape, count, named):
    class Huge(_Tensor):
        pass
    _TorchPickler.dispatch[Huge] = lambda self, tensor: (
        self.save_named(_Named("torch._utils", "_rebuild_tensor_v2")),
        self.save((("storage", _Named("torch", "FloatStorage"), "0", "cpu", 1), 0, shape, (0, 0), False, collections.OrderedDict())),
        self.write(pickle.REDUCE))
    write_torch(tmp_path / "m.pth", {"a%d.weight" % i: Huge(str(i), np.ones(1, np.float32)) for i in range(count)})
    with pytest.raises(ConvertError, match="m.pth: .*a tensor of size %s on a storage of 1" % named):
        read_checkpoint(tmp_path / "m.pth")


@pytest.mark.parametrize("kind", ["archive", "stream"])
def test_damage_anywhere_is_a_message(tmp_path, kind):
    """Three bytes changed at random, and every length."""
    tensors, file = {n: _Tensor(str(i), v) for i, (n, v) in enumerate(VALUES.items())}, tmp_path / "m.pth"
    write_torch(file, tensors)
    data = file.read_bytes() if kind == "archive" else torch_stream(tensors)
    random = np.random.RandomState(0)
    for i in range(400):
        damaged = bytearray(data)
        for place in random.randint(0, len(data), 3):
            damaged[place] = random.randint(256)
        file.write_bytes(damaged)
        try:
            read_checkpoint(file)
        except ConvertError as e:
            assert "m.pth: " in str(e)
    for length in range(len(data)):
        file.write_bytes(data[:length])
        with pytest.raises(ConvertError, match="m.pth: "):
            read_checkpoint(file)


def test_the_prefix_of_parallel_training_goes(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": {"module." + k: v for k, v in VALUES.items()}}))
    same(read_checkpoint(tmp_path / "m.pkl"))


def write_safetensors(path, entries, data):
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def test_safetensors(tmp_path):
    a, b = VALUES["a.weight"].tobytes(), VALUES["a.bias"].tobytes()
    write_safetensors(tmp_path / "m.safetensors", {
        "__metadata__": {"format": "pt"}, "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "a.bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}}, a + b)
    same(read_checkpoint(tmp_path / "m.safetensors"))


@pytest.mark.parametrize("entries", [
    {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, {"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}},
    {"a": {"dtype": "X9", "shape": [2], "data_offsets": [0, 8]}}, {"a": {"dtype": "F32"}}, {"a": 3}, [1]])
def test_damaged_safetensors_are_refused(tmp_path, entries):
    write_safetensors(tmp_path / "m.safetensors", entries, bytes(8))
    with pytest.raises(ConvertError, match="m.safetensors: "):
        read_checkpoint(tmp_path / "m.safetensors")


def test_caffe2s_detectron_by_its_names_and_order_of_classes(tmp_path):
    cls = np.arange(8, dtype=np.float32).reshape(4, 2)   # background first
    box = np.arange(16, dtype=np.float32).reshape(16, 1)
    blobs = {"conv1_w": np.ones((1, 1, 1, 1), np.float32), "res_conv1_bn_s": np.array([2], np.float32),
             "res_conv1_bn_b": np.array([3], np.float32), "res2_0_branch2a_w": np.ones((1, 1, 1, 1), np.float32),
             "fpn_inner_res5_2_sum_w": np.zeros((1, 1, 1, 1), np.float32), "fpn_res5_2_sum_b": np.zeros(1, np.float32),
             "conv_rpn_fpn2_w": np.zeros((1, 1, 3, 3), np.float32), "cls_score_w": cls, "bbox_pred_w": box, "fc6_w": cls,
             "_[mask]_fcn1_w": np.zeros((1, 1, 3, 3), np.float32), "mask_fcn_logits_b": np.arange(4, dtype=np.float32),
             "conv_fcn3_b": np.zeros(1, np.float32), "kps_score_lowres_b": np.zeros(1, np.float32), "fc6_w_momentum": cls, "lr": np.zeros(1)}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"blobs": blobs, "cfg": "..."}, 2))
    read = read_checkpoint(tmp_path / "m.pkl")
    assert sorted(read) == sorted([
        "backbone.bottom_up.stem.conv1.weight", "backbone.bottom_up.stem.conv1.norm.weight", "backbone.bottom_up.stem.conv1.norm.bias",
        "backbone.bottom_up.stem.conv1.norm.running_mean", "backbone.bottom_up.stem.conv1.norm.running_var",
        "backbone.bottom_up.res2.0.conv1.weight", "backbone.fpn_lateral5.weight", "backbone.fpn_output5.bias",
        "proposal_generator.rpn_head.conv.weight", "roi_heads.box_predictor.cls_score.weight", "roi_heads.box_predictor.bbox_pred.weight",
        "roi_heads.box_head.fc1.weight", "roi_heads.mask_head.mask_fcn1.weight", "roi_heads.mask_head.predictor.bias",
        "roi_heads.keypoint_head.conv_fcn3.bias", "roi_heads.keypoint_head.score_lowres.bias"])
    np.testing.assert_array_equal(read["roi_heads.box_predictor.cls_score.weight"], cls[[1, 2, 3, 0]])
    np.testing.assert_array_equal(read["roi_heads.box_predictor.bbox_pred.weight"], box[4:])
    np.testing.assert_array_equal(read["roi_heads.mask_head.predictor.bias"], [1, 2, 3])
