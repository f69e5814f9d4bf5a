#!/usr/bin/env python3
"""Average precision of a model on a data set in COCO's format: see --help and tools/python/caffe2rt/evaluate.py."""
import sys

import package_path  # noqa: F401
from caffe2rt.__main__ import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
