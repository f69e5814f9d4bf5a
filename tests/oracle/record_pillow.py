#!/usr/bin/env python3
"""Records what Pillow makes of small images, for tests/preprocess: tests/data/preprocess/pillow.npz.

    tests/oracle/record_pillow.py

Arrays `i.frame` (H,W,3) uint8 and `i.resized` (h,w,3) uint8. Needs numpy and Pillow.
"""
import pathlib

import numpy as np
from PIL import Image

# (height, width) of the frame, then of what it is resized to: down, up, both ways at once, hardly at all, extremes.
SIZES = [((24, 31), (9, 12)), ((7, 10), (23, 33)), ((40, 12), (13, 29)), ((16, 16), (15, 17)), ((1, 1), (5, 5)),
         ((1, 90), (1, 30)), ((90, 2), (20, 1)), ((50, 50), (3, 3))]

rng = np.random.RandomState(1)
arrays = {}
for i, (size, (height, width)) in enumerate(SIZES):
    frame = rng.randint(0, 256, size + (3,)).astype(np.uint8)
    arrays[f"{i}.frame"] = frame
    arrays[f"{i}.resized"] = np.asarray(Image.fromarray(frame).resize((width, height), Image.BILINEAR))
np.savez_compressed(pathlib.Path(__file__).resolve().parent.parent / "data/preprocess/pillow.npz", **arrays)
