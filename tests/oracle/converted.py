#!/usr/bin/env python3
"""Runs the converter's files in the original Caffe2 and compares with what the original computed with detectron2's own export.

    tests/oracle/converted.py --oracle CHROOT --golden DIR [NAME ...]

DIR holds a folder a model: config.yaml, model_final.pkl, cases as case*.npz, and compare.py, which judges. CHROOT as for compare.py
beside this file. Needs root, numpy, PyYAML and protobuf.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from whole_nets import run_original

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="folders of DIR; default: all")
    p.add_argument("--oracle", required=True)
    p.add_argument("--golden", type=pathlib.Path, required=True)
    a = p.parse_args()
    different = 0
    for golden in sorted(f.parent for f in a.golden.glob("*/model_final.pkl")):
        if a.names and golden.name not in a.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            subprocess.run([sys.executable, ROOT / "tools" / "caffe2_converter.py", "--config-file", golden / "config.yaml", "--output", folder,
                            "MODEL.WEIGHTS", golden / "model_final.pkl"], check=True, stdout=subprocess.DEVNULL)
            cases = {}
            for file in sorted(golden.glob("case*.npz")):
                with np.load(file) as case:
                    cases[file.stem] = {blob: case[blob].astype(np.float32) for blob in ("data", "im_info")}
            for name, outputs in run_original(a.oracle, folder, cases).items():
                np.savez(folder / "out.npz", **outputs)
                judged = subprocess.run([sys.executable, a.golden / "compare.py", golden / (name + ".npz"), folder / "out.npz"],
                                        stdout=subprocess.PIPE, text=True)
                different += judged.returncode != 0
                print("%-32s %s: %s" % (golden.name, name, "same" if judged.returncode == 0 else "DIFFERENT " + judged.stdout), flush=True)
    print("%d different" % different)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
