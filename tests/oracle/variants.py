#!/usr/bin/env python3
"""Compares whole nets with the original Caffe2 on weights and images of which nothing was recorded.

    tests/oracle/variants.py --oracle CHROOT --golden DIR [--caffe2-run build/release/bin/caffe2_run] [--seeds 3] [NAME ...]

DIR holds a folder a net, with model.pb, model_init.pb and case0.npz to make new weights and images of (variant.py), and
compare.py, which judges. CHROOT as for compare.py beside this file. Needs root and numpy.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def check(a, net, seed):
    """What came of one variant, in words."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path(a.oracle) / "tmp") as folder:
        folder = pathlib.Path(folder)
        for file in (HERE / "variant.py", net / "model.pb", net / "model_init.pb", net / ("case%d.npz" % (seed % 3))):
            shutil.copy(file, folder)
        inside = "/tmp/" + folder.name
        original = subprocess.run(["chroot", a.oracle, "python3", inside + "/variant.py", inside + "/model.pb",
                                   inside + "/model_init.pb", "%s/case%d.npz" % (inside, seed % 3), str(seed), inside],
                                  stderr=subprocess.PIPE, text=True)
        if original.returncode != 0:
            return "refused by the original: " + original.stderr.strip().splitlines()[-1][:200]
        subprocess.run([a.caffe2_run, "--predict_net", folder / "model.pb", "--init_net", folder / "init.pb", "--inputs",
                        folder / "case.npz", "--outputs", folder / "out.npz"], check=True, stdout=subprocess.DEVNULL)
        judged = subprocess.run([sys.executable, a.golden / "compare.py", folder / "case.npz", folder / "out.npz"],
                                stdout=subprocess.PIPE, text=True)
        return "same" if judged.returncode == 0 else "DIFFERENT " + judged.stdout


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="folders of DIR; default: all")
    p.add_argument("--oracle", required=True)
    p.add_argument("--golden", type=pathlib.Path, required=True)
    p.add_argument("--caffe2-run", default="build/release/bin/caffe2_run")
    p.add_argument("--seeds", type=int, default=3)
    a = p.parse_args()
    different = 0
    for net in sorted(a.golden.iterdir()):
        if not (net / "model.pb").exists() or (a.names and net.name not in a.names):
            continue
        for seed in range(a.seeds):
            result = check(a, net, seed)
            different += result.startswith("DIFFERENT")
            print("%-32s seed %d: %s" % (net.name, seed, result), flush=True)
    print("%d different" % different)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
