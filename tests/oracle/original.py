"""Runs inside the original Caffe2 (PyTorch 1.7): reads cases from one .npz and writes what it computed to another.

    python3 original.py CASES.npz RESULTS.npz

CASES.npz holds `NNN/net` (text NetDef as uint8) and `NNN/in/BLOB`. RESULTS.npz gets `NNN/out/BLOB` for every external
output, or `NNN/refused` (the message as uint8) where the original throws.
"""
import os
import pickle
import sys

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import workspace
from google.protobuf import text_format


def run(text, feeds):
    workspace.ResetWorkspace()
    net = caffe2_pb2.NetDef()
    text_format.Merge(text, net)
    for name, value in feeds.items():
        workspace.FeedBlob(name, value)
    workspace.RunNetOnce(net)
    return {name: workspace.FetchBlob(name) for name in net.external_output}


def run_in_child(text, feeds):
    """Results by blob, or the refusal's message: Debian's build aborts where an operator throws."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = run(text, feeds)
        except Exception as e:  # whatever it says, it refused
            answer = str(e)
        with os.fdopen(write, "wb") as f:
            pickle.dump(answer, f)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        answer = f.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else "aborted"


def main():
    cases, results = np.load(sys.argv[1]), {}
    by_case = {}
    for key in cases.files:
        number, rest = key.split("/", 1)
        by_case.setdefault(number, {})[rest] = cases[key]
    for number, parts in sorted(by_case.items()):
        feeds = {k[len("in/"):]: v for k, v in parts.items() if k.startswith("in/")}
        answer = run_in_child(parts["net"].tobytes().decode(), feeds)
        if isinstance(answer, str):
            results[number + "/refused"] = np.frombuffer(answer.encode()[:2000], np.uint8)
        else:
            for name, value in answer.items():
                results["%s/out/%s" % (number, name)] = value
    np.savez_compressed(sys.argv[2], **results)


main()
