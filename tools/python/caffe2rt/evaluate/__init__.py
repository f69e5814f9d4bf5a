"""How good models are on a folder of images with annotations in COCO's formats.

data_set.py: images, what is known of them, and the loop over them; coco.py, semantic.py, panoptic.py: one kind of truth each; columns.py:
models to compare with, by one interface; table.py: the numbers side by side; command.py: the command line, which alone works without
pycocotools.
"""
