#!/usr/bin/env python3
"""Converts a detectron2 model to Caffe2's two files: see --help and tools/python/caffe2rt/convert."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "python"))
from caffe2rt.convert.main import main  # noqa: E402

sys.exit(main())
