"""convert/labels.py: labels.txt of the data sets that configurations name."""
import pytest

from caffe2rt.convert.labels import class_names
from helpers import small_config


@pytest.mark.parametrize("data_set, count, some", [
    ("coco_2017_val", 80, {0: "person", 79: "toothbrush"}),
    ("cityscapes_fine_instance_seg_val", 8, {7: "bicycle"}),
    ("voc_2007_test", 20, {19: "tvmonitor"}),
    ("lvis_v0.5_val", 1230, {0: "acorn", 1229: "zucchini"}),
    ("lvis_v1_val", 1203, {0: "aerosol_can", 1202: "zucchini"}),
])
def test_every_class_has_its_name(data_set, count, some):
    names = class_names(small_config(DATASETS__TEST="('%s',)" % data_set, MODEL__ROI_HEADS__NUM_CLASSES=count))
    assert len(names) == len(set(names)) == count and all(name == name.strip() != "" for name in names)
    assert {i: names[i] for i in some} == some


def test_a_model_of_other_classes_has_no_names():
    assert class_names(small_config(DATASETS__TEST="('lvis_v1_val',)")) is None
    assert class_names(small_config(DATASETS__TEST="('mine',)")) is None
