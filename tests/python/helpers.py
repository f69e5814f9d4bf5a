"""What the tests of the Python tools share."""
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
BUILD = pathlib.Path(os.environ.get("CAFFE2RT_BUILD", ROOT / "build" / "release"))
# The package with its extension where that is built, else its sources.
sys.path.insert(0, str(BUILD / "python" if (BUILD / "python").is_dir() else ROOT / "tools" / "python"))


@pytest.fixture(scope="session")
def caffe2_run():
    """Runs a model folder on an .npz: caffe2_run(folder, inputs, outputs, *flags)."""
    program = BUILD / "bin" / "caffe2_run"
    if not program.exists():
        pytest.skip("%s is not built" % program)

    def run(folder, inputs, outputs, *flags):
        subprocess.run([program, "--predict_net", folder / "model.pb", "--init_net", folder / "model_init.pb", "--inputs", inputs,
                        "--outputs", outputs, *flags], check=True, stdout=subprocess.DEVNULL)
        with np.load(outputs) as results:
            return dict(results)
    return run


# What comes out of these is read as logits, and as parts of a box: large numbers would make all boxes the same.
_SMALL = {"objectness_logits.weight": 0.02, "anchor_deltas.weight": 0.002, "cls_score.weight": 0.05, "bbox_pred.weight": 0.02,
          "predictor.weight": 0.2, "conv3.weight": 0.3, "conv2_offset.weight": 0.3}


def random_parameters(cfg, seed=0):
    """A checkpoint that fits a configuration: convolutions that keep the spread of their input, norms near the identity."""
    from caffe2rt.convert.model import required_parameters
    rng, parameters = np.random.RandomState(seed), {}
    for name, shape in required_parameters(cfg).items():
        if name.endswith("running_var"):
            value = rng.uniform(0.5, 1.5, shape)
        elif name.endswith("norm.weight"):
            value = rng.uniform(0.8, 1.2, shape)
        elif len(shape) == 1:
            value = rng.uniform(-0.1, 0.1, shape)
        else:
            value = rng.randn(*shape) * (2 / np.prod(shape[1:])) ** 0.5
            if name.endswith(tuple(_SMALL)):
                value *= _SMALL[name.rpartition(".")[0].rpartition(".")[2] + ".weight"]
        parameters[name] = value.astype(np.float32)
    return parameters


def small_config(**changes):
    """A configuration of a small Mask R-CNN with FPN; changes are KEY=VALUE with __ for dots."""
    from caffe2rt.convert.config import load_config
    overrides = []
    for key, value in changes.items():
        overrides += [key.replace("__", "."), repr(value) if not isinstance(value, str) else value]
    return load_config(pathlib.Path(__file__).parent / "small_mask_rcnn_fpn.yaml", overrides)
