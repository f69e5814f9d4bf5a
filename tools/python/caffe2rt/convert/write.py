"""Writes a model's files: all of them, or none."""
import contextlib
import errno
import os
import pathlib
import shutil
import tempfile

import numpy as np
from google.protobuf import text_format

from .. import caffe2_pb2
from . import draw
from .errors import ConvertError


_SCRATCH = ".caffe2_converter_"  # what the folder that files are written into first is called, before a random part


def _argument(arg, name, value):
    arg.name = name
    if isinstance(value, (bool, int, np.integer)):
        arg.i = int(value)
    elif isinstance(value, float):
        arg.f = value
    elif isinstance(value, (str, bytes)):
        arg.s = value.encode() if isinstance(value, str) else value
    elif value and isinstance(value[0], float):
        arg.floats.extend(value)
    else:
        arg.ints.extend(int(v) for v in value)


def predict_net(model, name):
    """NetDef of the net: inputs data and im_info, then the weights in the order of their use."""
    net = caffe2_pb2.NetDef(name=name)
    for type, inputs, outputs, args in model.ops:
        op = net.op.add(type=type, input=inputs, output=outputs)
        for key, value in args.items():
            _argument(op.arg.add(), key, value)
    net.external_input.extend(["data", "im_info"])
    net.external_input.extend(model.weights)
    net.external_output.extend(model.outputs)
    for key, value in model.arguments.items():
        _argument(net.arg.add(), key, value)
    return net


# The fill of each dtype, the argument that holds its values, and how one of them looks in the file where it is of fixed size: its tag, as
# field `floats` of Argument in caffe2.proto has it, and its four bytes. Millions of them go through protobuf's Python lists slowly.
_FILLS = {"f": ("GivenTensorFill", None), "l": ("GivenTensorInt64Fill", "ints"), "i": ("GivenTensorIntFill", "ints"), "?": ("GivenTensorBoolFill", "ints")}
_FLOAT = np.dtype([("tag", "u1"), ("value", "<f4")])
_FLOATS_TAG = caffe2_pb2.Argument.DESCRIPTOR.fields_by_name["floats"].number << 3 | 5


def _fill(op, blob, value):
    op.type, kind = _FILLS[value.dtype.char]
    op.output.append(blob)
    values = op.arg.add(name="values")
    if kind:
        values.ints.extend(value.ravel().tolist())
    else:
        wire = np.empty(value.size, _FLOAT)
        wire["tag"], wire["value"] = _FLOATS_TAG, value.ravel()
        values.MergeFromString(wire.tobytes())
    op.arg.add(name="shape").ints.extend(value.shape)


def init_net(model, name):
    """NetDef that fills the weights."""
    net = caffe2_pb2.NetDef(name=name)
    for blob, value in model.weights.items():
        _fill(net.op.add(), blob, value)
    net.external_output.extend(model.weights)
    return net


def write_model(folder, model, name, labels=None):
    """Writes model.pb, model_init.pb, model.pbtxt, model.svg (where graphviz is installed) and labels.txt (where there are labels) into a
    folder: file by file into one that is there, else all at once by a rename, so that no other program sees a part of them. Returns their
    names. What was made of another model that was there (calibration.json, and model.svg where it is not written) is removed. Raises
    ConvertError; what was in the folder before is then as it was, and a folder that was not there is not there."""
    folder = pathlib.Path(folder)
    predict = predict_net(model, name + "_predict")
    files = {"model.pb": predict.SerializeToString(), "model.pbtxt": text_format.MessageToString(predict).encode(),
             "model_init.pb": init_net(model, name + "_init").SerializeToString()}
    picture = draw.to_svg(model, name)
    if picture:
        files["model.svg"] = picture
    if labels:
        files["labels.txt"] = ("\n".join(labels) + "\n").encode()
    made = [p for p in folder.parents if not os.path.lexists(p)]
    try:
        stale = [folder / name for name in ("calibration.json", "model.svg") if name not in files] if _is_another(folder, files) else []
        _write(folder, files)
        for file in stale:
            file.unlink(missing_ok=True)
    except OSError as e:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        blamed = str(e.filename or folder)
        raise ConvertError("%s: %s" % (folder if _SCRATCH in blamed else blamed, e.strerror)) from None
    return sorted(files)


def _is_another(folder, files):
    """Whether a model that lies in the folder is not the one of {name: bytes}."""
    def differs(name):
        file = folder / name
        return file.is_file() and (file.stat().st_size != len(files[name]) or file.read_bytes() != files[name])
    return differs("model.pb") or differs("model_init.pb")


def _write(folder, files):
    """Writes {name: bytes} into a folder. Raises OSError."""
    there = folder.is_dir()
    if os.path.lexists(folder) and not there:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
    blocked = next((folder / file for file in files if (folder / file).is_dir()), None)
    if blocked:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(blocked))
    folder.parent.mkdir(parents=True, exist_ok=True)
    # What is moved into its place has to lie on the same file system: a folder that is there may be one of its own.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder if there else folder.parent))
    whole = scratch / "model"
    try:
        whole.mkdir()  # with the rights that the user's folders have; the scratch folder is closed to others
        for file, data in files.items():
            (whole / file).write_bytes(data)
        if there:
            for file in files:
                os.replace(whole / file, folder / file)
        else:
            os.rename(whole, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
