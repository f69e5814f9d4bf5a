"""Runs inside the original Caffe2 (PyTorch 1.7): one net on many inputs.

    python3 whole_net.py MODEL.pb MODEL_init.pb INPUTS.npz OUTPUTS.npz

INPUTS.npz holds `NAME/data` and `NAME/im_info`; OUTPUTS.npz gets `NAME/BLOB` for every external output.
"""
import sys

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import workspace


def load(path):
    net = caffe2_pb2.NetDef()
    with open(path, "rb") as f:
        net.ParseFromString(f.read())
    return net


def main():
    predict, init, inputs, outputs = sys.argv[1:]
    workspace.RunNetOnce(load(init))
    net = load(predict)
    created, found, cases = False, {}, np.load(inputs)
    for name in sorted({k.split("/")[0] for k in cases.files}):
        for blob in ("data", "im_info"):
            workspace.FeedBlob(blob, cases["%s/%s" % (name, blob)])
        if not created:
            workspace.CreateNet(net)
            created = True
        workspace.RunNet(net.name)
        for blob in net.external_output:
            found["%s/%s" % (name, blob)] = workspace.FetchBlob(blob)
    np.savez(outputs, **found)


main()
