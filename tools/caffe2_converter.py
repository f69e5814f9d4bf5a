#!/usr/bin/env python3
"""Converts a detectron2 model to Caffe2's two files: see --help and tools/python/caffe2rt/convert."""
import sys

import package_path  # noqa: F401
from caffe2rt.convert.main import main

sys.exit(main())
