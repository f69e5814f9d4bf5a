#!/usr/bin/env python3
"""Runs every recorded network of a golden folder and compares with what the original computed.

    tests/golden_test.py --golden DIR --caffe2-run build/release/bin/caffe2_run [NAME ...]

Per case: raw outputs and formatted predictions against the recorded ones, by DIR/compare.py: without any rewrite of the net, and
with all of them but Winograd's convolution the same; with that too, all but one detection the same. In bf16 and int8 nothing is
recorded: there the rewrites that only join operators change nothing, and blobs of few bits little. Per batch2.npz: what each
image gets in a batch against what it gets alone. With --device a net runs there, and in fp16 too: with other numbers than
float32's, within wider bounds, and how far apart they are is printed. Exits 77 (skipped) where DIR, numpy or protobuf is missing. A folder NAME/ holds model.pb and
model_init.pb, or its model lies in DIR/../models/NAME.
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools" / "python"))
try:
    import numpy as np
    from caffe2rt import caffe2_pb2
except ImportError:
    print("skipped: no numpy or no protobuf")
    sys.exit(77)

JOINING = "drop_identities,join_roi_align,flatten_channels_last,fuse_add,fuse_relu,join_siblings"
LOW = ("--box-px", "2", "--score", "0.05", "--dense", "0.05", "--all-but", "2")  # bounds of low precision
NARROW = {"bf16": 0.04, "int8": 0.12}  # a map's difference over the map, of what low precision rounds more than before
PER_ROW = ("bbox_nms", "score_nms", "class_nms", "mask_fcn_probs", "kps_score", "keypoints_out")


class Runner:
    def __init__(self, arguments, scratch):
        self.compare = arguments.golden / "compare.py"
        self.program = arguments.caffe2_run
        self.device = arguments.device
        self.scratch = pathlib.Path(scratch)
        self.failed = []

    def run(self, model, feeds, outputs, *flags, without="use_winograd"):
        flags += ("--disable-passes", without) if without else ()
        subprocess.run([self.program, "--predict_net", model / "model.pb", "--init_net", model / "model_init.pb",
                        "--inputs", feeds, "--outputs", outputs, "--device", self.device, *flags], check=True, stdout=subprocess.DEVNULL)

    def same(self, what, golden, computed, *flags, verbose=False):
        result = subprocess.run([sys.executable, self.compare, golden, computed, "--json", *flags], stdout=subprocess.PIPE)
        report = json.loads(result.stdout or "{}")
        far = " " + json.dumps({k: v for k, v in report.items() if k != "ok"}) if verbose or result.returncode != 0 else ""
        print("%-48s %s" % (what, ("same" if result.returncode == 0 else "DIFFERENT") + far), flush=True)
        if result.returncode != 0:
            self.failed.append(what)
        return result.returncode == 0

    def check_case(self, model, name, case, original_size):
        out = self.scratch / "out.npz"
        self.run(model, case, out)
        self.same("%s %s raw" % (name, case.stem), case, out)
        self.run(model, case, out, without="all")
        self.same("%s %s raw, no passes" % (name, case.stem), case, out)
        # Small errors tip a suppression on the knife's edge now and then.
        self.run(model, case, out, without="")
        self.same("%s %s raw, Winograd" % (name, case.stem), case, out, "--all-but", "1")
        if original_size:
            self.run(model, case, out, "--formatted", "--original-size", "%dx%d" % tuple(original_size))
            self.same("%s %s formatted" % (name, case.stem), case, out)

    def check_device(self, model, name, case, original_size):
        """On a GPU nothing is packed: there are fewer ways to compare. Where it differs, who computed it?"""
        out, low = self.scratch / "out.npz", self.scratch / "low.npz"
        if case.stem == "case0":
            self.run(model, case, low, "--precision", "fp16", without="")
        self.run(model, case, out, without="")
        if case.stem == "case0":
            whole, rounded = np.load(out), np.load(low)
            what = "%s %s raw, fp16" % (name, case.stem)
            if all(np.array_equal(whole[k], rounded[k]) for k in whole.files):
                print("%-48s DIFFERENT: not computed in fp16, the numbers are float32's" % what, flush=True)
                self.failed.append(what)
            else:
                self.same(what, case, low, *LOW, verbose=True)
        if not self.same("%s %s raw" % (name, case.stem), case, out):
            self.run(model, case, out, "--on-host", "all", without="")
            self.same("%s %s raw, by the host" % (name, case.stem), case, out)
            self.run(model, case, out, without="all")
            self.same("%s %s raw, no passes" % (name, case.stem), case, out)
        if original_size:
            self.run(model, case, out, "--formatted", "--original-size", "%dx%d" % tuple(original_size), without="")
            self.same("%s %s formatted" % (name, case.stem), case, out)

    def calibrated(self, model, case):
        """A copy of a model with a calibration: the ranges that its blobs have in this case."""
        blobs = self.scratch / "blobs.npz"
        self.run(model, case, blobs, "--blobs", "all", without="all")
        values = np.load(blobs)
        ranges = {k: [float(values[k].min()), float(values[k].max())] for k in values.files
                  if values[k].dtype == np.float32 and values[k].size and np.isfinite(values[k]).all()}
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        for file in ("model.pb", "model_init.pb"):
            (folder / file).symlink_to((model / file).resolve())
        (folder / "calibration.json").write_text(json.dumps({"version": 1, "ranges": ranges}))
        return folder

    def check_precisions(self, model, name, case):
        model = self.calibrated(model, case)
        joined, apart, golden = (self.scratch / ("%s.npz" % n) for n in ("joined", "apart", "golden"))
        for precision in ("bf16", "int8"):
            self.check_narrow(model, name, case, precision)
            self.run(model, case, joined, "--precision", precision, without="use_winograd,narrow_activations")
            self.run(model, case, apart, "--precision", precision, without="use_winograd,narrow_activations," + JOINING)
            results = np.load(apart)
            np.savez(golden, **{"out/" + k: results[k] for k in results.files})
            # Sums of bfloat16 products in another order, and a suppression on the knife's edge.
            self.same("%s %s %s, joined or not" % (name, case.stem, precision), golden, joined, "--all-but", "1")

    def check_narrow(self, model, name, case, precision):
        """The maps that heads read, with blobs of few bits between layers and with float32: residuals are rounded."""
        net = caffe2_pb2.NetDef.FromString((model / "model.pb").read_bytes())
        pooled = {op.input[0] for op in net.op if op.type.startswith("RoIAlign")}
        maps = pooled or {b for b in net.external_output if b.startswith("box_")}
        narrow, wide = self.scratch / "narrow.npz", self.scratch / "wide.npz"
        for out, without in ((narrow, "use_winograd"), (wide, "use_winograd,narrow_activations")):
            self.run(model, case, out, "--precision", precision, "--blobs", ",".join(sorted(maps)), without=without)
        narrow, wide = np.load(narrow), np.load(wide)
        far = max(float(np.linalg.norm(narrow[k] - wide[k]) / np.linalg.norm(wide[k])) for k in maps)
        what = "%s %s %s, narrow blobs" % (name, case.stem, precision)
        ok = 0 < far < NARROW[precision]
        print("%-48s %s %.2g" % (what, "same" if ok else "DIFFERENT", far), flush=True)
        if not ok:
            self.failed.append(what)

    def check_batch(self, model, name, case):
        """The slice of every output that belongs to an image, against a run of that image alone."""
        batch = np.load(case)
        outputs = [k[len("out/"):] for k in batch.files if k.startswith("out/") and k != "out/im_info"]
        together = self.scratch / "together.npz"
        self.run(model, case, together, "--blobs", ",".join(outputs))
        results = np.load(together)
        first = 0
        for i in range(len(batch["data"])):
            feed, alone = self.scratch / "feed.npz", self.scratch / "alone.npz"
            np.savez(feed, data=batch["data"][i:i + 1], im_info=batch["im_info"][i:i + 1])
            self.run(model, feed, alone, "--blobs", ",".join(outputs))
            rows = int(results["roi_batch_splits_nms"][i]) if "roi_batch_splits_nms" in results.files else 0
            piece = {k: results[k][first:first + rows] if k in PER_ROW else results[k][i:i + 1] for k in outputs}
            first += rows
            golden, computed = self.scratch / "golden.npz", self.scratch / "computed.npz"
            single = np.load(alone)
            np.savez(golden, **{"out/" + k: single[k] for k in outputs})
            np.savez(computed, **piece)
            self.same("%s %s image %d of the batch" % (name, case.stem, i), golden, computed)


def check_folder(arguments, folder):
    """Returns what is different."""
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(arguments, scratch)
        model = folder if (folder / "model.pb").exists() else arguments.golden.parent / "models" / folder.name
        meta = json.loads((folder / "meta.json").read_text()) if (folder / "meta.json").exists() else {"cases": []}
        sizes = {"case%d" % i: case["orig"] for i, case in enumerate(meta["cases"])}
        for case in sorted(folder.glob("*.npz")):
            try:
                if case.stem.startswith("batch"):
                    runner.check_batch(model, folder.name, case)
                elif arguments.device != "cpu":
                    runner.check_device(model, folder.name, case, sizes.get(case.stem))
                else:
                    runner.check_case(model, folder.name, case, sizes.get(case.stem))
                    if case.stem == "case0":
                        runner.check_precisions(model, folder.name, case)
            except subprocess.CalledProcessError:
                print("%s %s: caffe2_run failed" % (folder.name, case.stem))
                runner.failed.append("%s %s" % (folder.name, case.stem))
        return runner.failed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="folders of the golden data; default: all")
    p.add_argument("--golden", type=pathlib.Path, required=True)
    p.add_argument("--caffe2-run", type=pathlib.Path, required=True)
    p.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    p.add_argument("--jobs", type=int, default=1, help="folders at the same time, default 1")
    a = p.parse_args()
    if not (a.golden / "compare.py").exists():
        print("skipped: no golden data in %s" % a.golden)
        return 77
    folders = [f for f in sorted(a.golden.iterdir()) if f.is_dir() and (not a.names or f.name in a.names)]
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        failed = [what for some in pool.map(lambda folder: check_folder(a, folder), folders) for what in some]
    print("%d different%s" % (len(failed), ": " + ", ".join(failed) if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
