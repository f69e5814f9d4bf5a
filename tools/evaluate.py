#!/usr/bin/env python3
"""How good a model is on a data set in COCO's formats: see --help and docs/evaluation.md."""
import sys

import package_path  # noqa: F401
from caffe2rt.__main__ import main

sys.exit(main(["evaluate", *sys.argv[1:]], evaluate_prog="evaluate.py"))
