#!/usr/bin/env python3
"""Fetches and converts a model of detectron2's zoo: see --help and tools/python/caffe2rt/convert/zoo.py."""
import sys

import package_path  # noqa: F401
from caffe2rt.convert.zoo import main

sys.exit(main())
