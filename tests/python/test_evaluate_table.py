"""evaluate/table.py: columns, differences, and what is too far from the reference."""
from caffe2rt.evaluate.table import first_column, render, too_far

NAN = float("nan")


def ap(value, **more):
    return {"bbox": {"AP": value, "AP50": 2 * value, **more}}


def cells(text):
    return {tuple(line.split()[:2]): line.split()[2:] for line in text.splitlines()[1:]}


def test_one_column_has_no_differences():
    text = render({"model": ap(30.0)})
    assert text.splitlines()[0].split() == ["model"] and cells(text) == {("bbox", "AP"): ["30.000"], ("bbox", "AP50"): ["60.000"]}


def test_a_reference_has_a_column_and_a_difference():
    text = render({"model": ap(30.0), "PyTorch": ap(30.5)}, "PyTorch")
    assert text.splitlines()[0].split() == ["model", "PyTorch", "difference"] and cells(text)["bbox", "AP"] == ["30.000", "30.500", "-0.500"]


def test_each_precision_has_its_difference():
    text = render({"fp32 cpu": ap(30.0), "bf16 cpu": ap(29.0), "int8 cpu": None, "reference": ap(30.5)}, "reference")
    assert "fp32 cpu - reference" in text and "bf16 cpu - reference" in text and "int8 cpu - " not in text
    assert cells(text)["bbox", "AP"] == ["30.000", "29.000", "-", "30.500", "-0.500", "-1.500"]


def test_columns_stand_under_their_names():
    lines = render({"a very long name": ap(1.0), "b": ap(2.0)}, "b").splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_kind_that_only_the_reference_has_gets_a_row():
    text = render({"model": ap(30.0), "reference": {**ap(30.0), "segm": {"AP": 5.0}}}, "reference")
    assert cells(text)["segm", "AP"] == ["-", "5.000", "-"]


def far(model, reference, tolerance=0.1):
    return list(too_far({"model": model, "reference": reference, "int8": None}, "reference", tolerance))


def test_only_more_than_the_tolerance_is_too_far():
    assert far(ap(30.0), ap(30.09)) == [] and far(ap(30.0), ap(29.91)) == []
    assert far(ap(30.0), ap(30.2)) == ["model: bbox AP differs by -0.200 from that of reference, expected at most 0.1"]
    assert far(ap(30.0), ap(30.2), tolerance=0.3) == []


def test_of_a_kind_its_ap_counts_miou_and_pq():
    assert far({"bbox": {"AP": 1.0, "APs": 3.0}}, {"bbox": {"AP": 1.0, "APs": 9.0}}) == []
    assert len(far({"sem_seg": {"mIoU": 1.0, "pACC": 0.0}, "panoptic": {"PQ": 1.0, "SQ": 0.0}},
                   {"sem_seg": {"mIoU": 2.0, "pACC": 9.0}, "panoptic": {"PQ": 2.0, "SQ": 9.0}})) == 2


def test_what_only_one_has_is_too_far():
    assert far(ap(30.0), {**ap(30.0), "segm": {"AP": 5.0}}) == ["model: only one of it and reference has a segm AP"]
    assert far(ap(NAN), ap(30.0)) == ["model: only one of it and reference has a bbox AP"]
    assert far(ap(NAN), ap(NAN)) == []


def test_the_first_column_that_ran_stands_for_a_reference():
    assert first_column({"fp32 cpu": None, "fp32 cuda": ap(1.0), "bf16 cuda": ap(1.0)}) == "fp32 cuda"
    assert first_column({"fp32 cpu": ap(1.0), "int8 cpu": None}) is None
