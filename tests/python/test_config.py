"""convert/config.py: what a YAML file and overrides make of detectron2's defaults."""
import pytest
import yaml

from caffe2rt.convert.config import default_config, load_config
from caffe2rt.convert.errors import ConvertError


def write(path, **tree):
    path.write_text(yaml.safe_dump(tree))
    return path


def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path):
    cfg = load_config(write(tmp_path / "a.yaml", MODEL={"MASK_ON": True}))
    assert cfg.MODEL.MASK_ON is True
    assert cfg.MODEL.RPN.NMS_THRESH == 0.7
    assert default_config().MODEL.MASK_ON is False


def test_a_base_comes_first_and_may_have_a_base_itself(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "root.yaml", MODEL={"DEVICE": "cpu", "RESNETS": {"DEPTH": 101, "NORM": "GN"}})
    write(tmp_path / "sub" / "middle.yaml", _BASE_="../root.yaml", MODEL={"RESNETS": {"DEPTH": 152}})
    cfg = load_config(write(tmp_path / "leaf.yaml", _BASE_="sub/middle.yaml", MODEL={"DEVICE": "cuda"}))
    assert (cfg.MODEL.DEVICE, cfg.MODEL.RESNETS.DEPTH, cfg.MODEL.RESNETS.NORM) == ("cuda", 152, "GN")


def test_a_base_that_is_its_own_is_refused(tmp_path):
    with pytest.raises(ConvertError, match="is based on itself"):
        load_config(write(tmp_path / "a.yaml", _BASE_="a.yaml"))


def test_overrides_are_read_as_python_where_they_can_be(tmp_path):
    file = write(tmp_path / "a.yaml", VERSION=2)
    cfg = load_config(file, ["MODEL.WEIGHTS", "123", "MODEL.ROI_HEADS.SCORE_THRESH_TEST", "1", "MODEL.FPN.IN_FEATURES", "['res4']"])
    assert cfg.MODEL.WEIGHTS == "123"
    assert isinstance(cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST, float)
    assert cfg.MODEL.FPN.IN_FEATURES == ["res4"]


def test_strings_in_a_file_may_hold_tuples(tmp_path):
    cfg = load_config(write(tmp_path / "a.yaml", SOLVER={"STEPS": "(60000, 80000)"}))
    assert list(cfg.SOLVER.STEPS) == [60000, 80000]


def test_all_unknown_keys_are_named(tmp_path):
    file = write(tmp_path / "a.yaml", MODEL={"MASC_ON": True, "RPN": {"NMS": 0.5}})
    with pytest.raises(ConvertError, match=r"a.yaml: unknown configuration keys: MODEL.MASC_ON, MODEL.RPN.NMS"):
        load_config(file)
    with pytest.raises(ConvertError, match="command line: unknown configuration keys: MODEL.NOTHING"):
        load_config(write(tmp_path / "b.yaml", VERSION=2), ["MODEL.NOTHING", "1"])


def test_a_value_of_another_type_is_refused(tmp_path):
    with pytest.raises(ConvertError, match="MODEL.MASK_ON: expected bool, got 'maybe'"):
        load_config(write(tmp_path / "a.yaml", MODEL={"MASK_ON": "maybe"}))


@pytest.mark.parametrize("key, value, says", [
    ("MODEL.MASK_ON", "3", "expected bool, got 3"), ("TEST.DETECTIONS_PER_IMAGE", "3.5", "expected int, got 3.5"),
    ("TEST.DETECTIONS_PER_IMAGE", "True", "expected int, got True"), ("MODEL.RPN.CONV_DIMS", "['a']", r"expected numbers, got \['a'\]"),
    ("MODEL.PIXEL_MEAN", "[1, None, 2]", "expected numbers"), ("MODEL.RPN.NMS_THRESH", "'x'", "expected float, got 'x'"),
])
def test_numbers_are_of_their_kind(tmp_path, key, value, says):
    with pytest.raises(ConvertError, match=key + ": " + says):
        load_config(write(tmp_path / "a.yaml", VERSION=2), [key, value])
    assert load_config(tmp_path / "a.yaml", ["MODEL.RPN.NMS_THRESH", "1", "MODEL.RPN.CONV_DIMS", "(8, -1)"]).MODEL.RPN.NMS_THRESH == 1.0


def test_a_key_without_a_value_is_refused(tmp_path):
    with pytest.raises(ConvertError, match="expected pairs KEY VALUE, got 'MODEL.DEVICE' without a value"):
        load_config(write(tmp_path / "a.yaml", VERSION=2), ["MODEL.DEVICE"])


@pytest.mark.parametrize("text, says", [("a: [", "expected YAML"), ("- 1", "expected a YAML mapping, got list")])
def test_what_is_no_configuration_is_refused(tmp_path, text, says):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConvertError, match=says):
        load_config(tmp_path / "a.yaml")
    with pytest.raises(ConvertError, match="nowhere.yaml: No such file"):
        load_config(tmp_path / "nowhere.yaml")


def test_version_1_is_read_by_its_old_names(tmp_path):
    cfg = load_config(write(tmp_path / "a.yaml", MODEL={
        "WEIGHT": "w.pkl", "RPN": {"ANCHOR_SIZES": [[16]]}, "RETINANET": {"ANCHOR_SIZES": [[99]]}, "ROI_HEADS": {"NMS": 0.4}}))
    assert (cfg.MODEL.WEIGHTS, cfg.MODEL.ROI_HEADS.NMS_THRESH_TEST) == ("w.pkl", 0.4)
    assert cfg.MODEL.ANCHOR_GENERATOR.SIZES == [[16]]


def test_version_1_of_a_retinanet_has_its_own_anchors(tmp_path):
    cfg = load_config(write(tmp_path / "a.yaml", VERSION=1, MODEL={
        "META_ARCHITECTURE": "RetinaNet", "RPN": {"ANCHOR_SIZES": [[16]]}, "RETINANET": {"ANCHOR_SIZES": [[99]], "ANCHOR_STRIDES": [8]}}))
    assert cfg.MODEL.ANCHOR_GENERATOR.SIZES == [[99]]


def test_the_old_exporters_own_key_is_known(tmp_path):
    assert load_config(write(tmp_path / "a.yaml", EXPORT_CAFFE2={"USE_HEATMAP_MAX_KEYPOINT": True})).EXPORT_CAFFE2.USE_HEATMAP_MAX_KEYPOINT


# As detectron2's Base-RetinaNet.yaml has its anchors.
EVALUATED = '!!python/object/apply:eval ["[[x, x * 2**(1.0/3), x * 2**(2.0/3) ] for x in [32, 64, 128, 256, 512 ]]"]'


def test_anchors_that_are_an_expression_are_worked_out(tmp_path):
    (tmp_path / "a.yaml").write_text("MODEL: {ANCHOR_GENERATOR: {SIZES: %s}}\n" % EVALUATED)
    sizes = load_config(tmp_path / "a.yaml").MODEL.ANCHOR_GENERATOR.SIZES
    assert sizes == [[x, x * 2 ** (1 / 3), x * 2 ** (2 / 3)] for x in (32, 64, 128, 256, 512)]


def test_tuples_of_pythons_are_lists(tmp_path):
    (tmp_path / "a.yaml").write_text("DATASETS: {TEST: !!python/tuple [a, b]}\n")
    assert load_config(tmp_path / "a.yaml").DATASETS.TEST == ["a", "b"]


@pytest.mark.parametrize("expression", [
    "__import__('os').system('touch HACKED')", "open('HACKED', 'w')", "().__class__", "[x for x in (1).__dir__()]", "9**9**9", "[1] * 10", "'a' * 9",
    "[x for x in [1] if x]", "lambda: 1", "1 // 0", "(", "-" * 100000 + "1"])
def test_nothing_else_is_evaluated(tmp_path, monkeypatch, expression):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"MODEL": {"WEIGHTS": [expression]}}).replace("WEIGHTS:", "WEIGHTS: !!python/object/apply:eval"))
    with pytest.raises(ConvertError, match="refused to evaluate"):
        load_config(tmp_path / "a.yaml")
    assert not (tmp_path / "HACKED").exists()


def test_other_tags_of_pythons_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("MODEL: {WEIGHTS: !!python/object/apply:os.system ['touch HACKED']}\n")
    with pytest.raises(ConvertError, match="a.yaml: expected YAML: .*os.system"):
        load_config(tmp_path / "a.yaml")
