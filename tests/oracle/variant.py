"""Runs inside the original Caffe2 (PyTorch 1.7): a net with other weights on another image, and what comes out.

    python3 variant.py MODEL.pb MODEL_init.pb CASE.npz SEED FOLDER

Scales every float weight element by 1 + 0.05 N(0,1), and makes an image of CASE.npz's by mirroring, swapping channels, cropping
and changing the contrast. FOLDER gets `init.pb` (the weights) and `case.npz` (`data`, `im_info`, and `out/NAME` for every
external output).
"""
import os
import sys

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import core, workspace


def load(path):
    net = caffe2_pb2.NetDef()
    with open(path, "rb") as f:
        net.ParseFromString(f.read())
    for op in net.op:
        op.ClearField("device_option")
        op.ClearField("engine")
    return net


def change_weights(init, rng):
    """The init net's blobs, changed in the workspace and written as a new net of fills."""
    changed = caffe2_pb2.NetDef(name="init")
    for op in init.op:
        workspace.RunOperatorOnce(op)
        blob = op.output[0]
        value = workspace.FetchBlob(blob)
        if op.type != "GivenTensorFill" or value.size < 2:
            changed.op.extend([op])
            continue
        value = (value * (1 + 0.05 * rng.randn(*value.shape))).astype(np.float32)
        workspace.FeedBlob(blob, value)
        changed.op.extend([core.CreateOperator("GivenTensorFill", [], [blob], shape=list(value.shape), values=value.ravel())])
    return changed


def change_image(case, rng):
    data = case["data"][:1].astype(np.float32)
    height, width, scale = case["im_info"][0]
    image = data[:, rng.permutation(3), :int(height), :int(width)]
    h, w = (int(n * rng.uniform(0.6, 1)) for n in image.shape[2:])
    image = np.clip(image[:, :, -h:, ::-1][:, :, :, :w] * rng.uniform(0.6, 1.3) + rng.uniform(-20, 20), 0, 255)
    multiple = 32 if all(n % 32 == 0 for n in data.shape[2:]) else 1
    padded = np.zeros((1, 3, -(-h // multiple) * multiple, -(-w // multiple) * multiple), np.float32)
    padded[:, :, :h, :w] = np.round(image)
    return padded, np.array([[h, w, scale]], np.float32)


def main():
    predict_net, init_net, case, seed, folder = sys.argv[1:]
    rng = np.random.RandomState(int(seed))
    net = load(predict_net)
    net.name = net.name or "net"
    init = change_weights(load(init_net), rng)
    with open(os.path.join(folder, "init.pb"), "wb") as f:
        f.write(init.SerializeToString())
    data, im_info = change_image(np.load(case), rng)
    workspace.FeedBlob("data", data)
    workspace.FeedBlob("im_info", im_info)
    workspace.RunNetOnce(net)
    outputs = {"out/" + name: workspace.FetchBlob(name) for name in net.external_output}
    np.savez(os.path.join(folder, "case.npz"), data=data, im_info=im_info, **outputs)


main()
