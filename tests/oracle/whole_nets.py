"""Asks the original Caffe2 for what a whole net computes: run_original."""
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def run_original(oracle, model, cases):
    """{name: {blob: array}} of every external output. oracle: as for compare.py. model: folder with model.pb, model_init.pb.
    cases: {name: {"data": (1,C,H,W) float32, "im_info": (1,3) float32}}. Raises RuntimeError with the original's last words."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path(oracle) / "tmp") as folder:
        folder = pathlib.Path(folder)
        for file in (HERE / "whole_net.py", pathlib.Path(model) / "model.pb", pathlib.Path(model) / "model_init.pb"):
            shutil.copy(file, folder)
        np.savez(folder / "in.npz", **{"%s/%s" % (name, blob): v for name, feeds in cases.items() for blob, v in feeds.items()})
        inside = "/tmp/" + folder.name
        run = subprocess.run(["chroot", oracle, "python3", inside + "/whole_net.py", inside + "/model.pb", inside + "/model_init.pb",
                              inside + "/in.npz", inside + "/out.npz"], stderr=subprocess.PIPE, text=True)
        if run.returncode:
            raise RuntimeError("the original refuses %s: %s" % (model, (run.stderr.strip() or "no word").splitlines()[-1][:300]))
        found = {name: {} for name in cases}
        with np.load(folder / "out.npz") as results:
            for key in results.files:
                name, blob = key.split("/", 1)
                found[name][blob] = results[key]
        return found
