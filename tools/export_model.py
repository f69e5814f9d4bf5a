#!/usr/bin/env python3
"""detectron2's later entry point to the same conversion: see --help and caffe2_converter.py."""
import sys

import package_path  # noqa: F401
from caffe2rt.convert.main import main

sys.exit(main(export_model=True))
