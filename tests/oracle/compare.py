#!/usr/bin/env python3
"""Compares operators with the original Caffe2 on seeded random cases, and records some of them for the plain tests.

    tests/oracle/compare.py --oracle CHROOT [--tests build/release/bin/ops_tests] [--cases 200] [--record 12] [FAMILY.Operator ...]

CHROOT is a Debian 11 tree with python3-torch (1.7.1, the last with Caffe2's operators as Debian built it); entering it
needs root. Cases come from tests/oracle/cases/FAMILY.py: each has a function `cases()` that returns {name: generator}, and
generator(rng) returns a Case. All cases of a name must agree; --record writes the first so many that the original accepts to
tests/data/oracle/NAME.npz, which the test OracleCases reads without any oracle. Needs numpy.
"""
import argparse
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import net_text  # noqa: E402


class Case:
    """One net of usually one operator. inputs: {blob: array}; outputs: blob names; args: {name: value}."""

    def __init__(self, type, inputs, outputs, args=None):
        self.net = net_text.net([net_text.operator(type, list(inputs), outputs, args)], list(inputs), outputs)
        self.inputs = inputs


def generate(name, generator, count):
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    arrays = {}
    for i in range(count):
        case = generator(rng)
        arrays["%03d/net" % i] = np.frombuffer(case.net.encode(), np.uint8)
        for blob, value in case.inputs.items():
            arrays["%03d/in/%s" % (i, blob)] = np.array(value, order="C")
    return arrays


def ask_original(oracle, arrays):
    folder = tempfile.mkdtemp(dir=os.path.join(oracle, "tmp"))
    try:
        shutil.copy(HERE / "original.py", folder)
        np.savez(os.path.join(folder, "cases.npz"), **arrays)
        inside = "/tmp/" + os.path.basename(folder)
        subprocess.run(["chroot", oracle, "python3", inside + "/original.py", inside + "/cases.npz", inside + "/results.npz"],
                       check=True, stderr=subprocess.DEVNULL)
        with np.load(os.path.join(folder, "results.npz")) as results:
            return {k: results[k] for k in results.files}
    finally:
        shutil.rmtree(folder)


def accepted(arrays, results):
    """The cases that the original ran, with what it computed."""
    refused = sorted(k.split("/")[0] for k in results if k.endswith("/refused"))
    kept = {k: v for k, v in {**arrays, **results}.items() if k.split("/")[0] not in refused}
    messages = [results[n + "/refused"].tobytes().decode(errors="replace") for n in refused]
    return kept, messages


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="FAMILY, or FAMILY.NAME; default: all")
    p.add_argument("--oracle", required=True, help="folder of the Debian 11 tree")
    p.add_argument("--tests", default="build/release/bin/ops_tests", help="the test program that holds OracleCases")
    p.add_argument("--cases", type=int, default=200)
    p.add_argument("--record", type=int, default=0, help="how many cases to keep in tests/data/oracle")
    p.add_argument("--verbose", action="store_true", help="print why the original refused a case")
    a = p.parse_args()

    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for file in sorted((HERE / "cases").glob("*.py")):
            for name, generator in importlib.import_module("cases." + file.stem).cases(Case).items():
                if a.names and file.stem not in a.names and file.stem + "." + name not in a.names:
                    continue
                arrays = generate(name, generator, a.cases)
                kept, refusals = accepted(arrays, ask_original(a.oracle, arrays))
                np.savez(os.path.join(folder, name + ".npz"), **kept)
                run = subprocess.run([a.tests, "--gtest_filter=OracleCases.*", "--gtest_brief=1"], stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, env={**os.environ, "CAFFE2RT_ORACLE_CASES": os.path.join(folder, name + ".npz")})
                ran = len({k.split("/")[0] for k in kept})
                print("%-40s %3d cases, %3d refused by the original: %s" % (
                    file.stem + "." + name, ran, len(refusals), "same" if run.returncode == 0 else "DIFFERENT"), flush=True)
                if a.verbose:
                    for text in sorted(set(t.split("\n")[0][:200] for t in refusals)):
                        print("    refused:", text)
                if run.returncode != 0:
                    failed.append(name)
                    print(run.stdout.decode(errors="replace")[-3000:])
                elif a.record:
                    numbers = sorted({k.split("/")[0] for k in kept})[:a.record]
                    np.savez_compressed(HERE.parent / "data" / "oracle" / (name + ".npz"),
                                        **{k: v for k, v in kept.items() if k.split("/")[0] in numbers})
    print("different: " + ", ".join(failed) if failed else "all the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
