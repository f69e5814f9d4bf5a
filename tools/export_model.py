#!/usr/bin/env python3
"""detectron2's later entry point to the same conversion: see --help and caffe2_converter.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "python"))
from caffe2rt.convert.main import main  # noqa: E402

sys.exit(main(export_model=True))
