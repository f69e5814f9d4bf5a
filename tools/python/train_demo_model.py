#!/usr/bin/env python3
"""Trains the demonstration model: draws its scenes, learns from them, and writes a checkpoint that the converter reads.

    tools/bootstrap.sh --tests
    /opt/gst-caffe2/tests/bin/python tools/python/train_demo_model.py --output demo_model
    tools/caffe2_converter.py --config-file demo_model/demo.yaml --output demo_model/caffe2 MODEL.WEIGHTS demo_model/model_final.pth

The same seed, iterations and PyTorch give the same model. Needs PyTorch, torchvision, OpenCV for Python and PyYAML.
"""
import argparse
import os
import pathlib
import shutil
import sys

_HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))


def main():
    p = argparse.ArgumentParser(description="Trains a small Mask R-CNN on drawn scenes of balls, crates, cans, cones, rings and stars.")
    p.add_argument("--output", default="demo_model", metavar="FOLDER", help="where model_final.pth and demo.yaml go; default: %(default)s")
    p.add_argument("--iterations", type=int, default=3500, help="default: %(default)s")
    p.add_argument("--batch-size", type=int, default=10, help="scenes an iteration; default: %(default)s")
    p.add_argument("--seed", type=int, default=0, help="of the first weights and of the scenes; default: %(default)s")
    p.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1),
                   help="of PyTorch; one more process draws. More threads than free cores are very slow. Default: %(default)s")
    args = p.parse_args()
    if args.iterations < 1 or args.batch_size < 1 or args.threads < 1:
        p.error("--iterations, --batch-size, --threads: expected at least 1")
    import torch
    from demo_model import training
    from tqdm import tqdm
    torch.set_num_threads(args.threads)
    model = training.train(args.iterations, args.batch_size, seed=args.seed, report=lambda i, losses: tqdm.write(
        "iteration %d: %s" % (i, ", ".join("%s %.3f" % part for part in losses.items()))))
    folder = pathlib.Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict()}, folder / "model_final.pth")
    shutil.copyfile(training.CONFIG, folder / "demo.yaml")
    print("wrote %s: model_final.pth (%.1f million parameters), demo.yaml" % (folder, sum(p.numel() for p in model.parameters()) / 1e6))


if __name__ == "__main__":
    main()
