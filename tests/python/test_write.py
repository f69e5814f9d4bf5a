"""convert/write.py: a model's files appear together."""
import os
import stat

import pytest

from caffe2rt.convert import write
from caffe2rt.convert.errors import ConvertError
from caffe2rt.convert.model import build_model
from caffe2rt.convert.write import write_model
from helpers import random_parameters, small_config


@pytest.fixture(scope="module")
def model():
    cfg = small_config()
    return build_model(cfg, random_parameters(cfg))


@pytest.fixture
def moves(monkeypatch):
    """(source's name, target) of every file or folder that is put in its place."""
    seen = []
    for name in ("rename", "replace"):
        def move(source, target, original=getattr(os, name)):
            original(source, target)
            seen.append((os.path.basename(source), str(target)))
        monkeypatch.setattr(write.os, name, move)
    return seen


def test_a_new_folder_appears_whole(model, moves, tmp_path):
    files = write_model(tmp_path / "a" / "new", model, "net", ["one"])
    assert moves == [("model", str(tmp_path / "a" / "new"))]  # one step: no other program sees a part of it
    assert {"labels.txt", "model.pb", "model_init.pb", "model.pbtxt"} <= set(files) == set(os.listdir(tmp_path / "a" / "new"))
    assert os.listdir(tmp_path / "a") == ["new"]


def test_a_new_folder_has_the_rights_of_any_other(model, tmp_path):
    (tmp_path / "other").mkdir()
    write_model(tmp_path / "new", model, "net")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_a_folder_that_is_there_keeps_what_else_is_in_it(model, moves, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "model.pb").write_text("old")
    files = write_model(tmp_path, model, "net")
    assert sorted(name for name, _ in moves) == files
    assert (tmp_path / "notes.txt").read_text() == "mine" and (tmp_path / "model.pb").read_bytes() != b"old"


def test_nothing_is_left_of_what_could_not_be_written(model, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")
    monkeypatch.setattr(write.os, "rename", full)
    with pytest.raises(ConvertError, match="somewhere: No space left on device"):
        write_model(tmp_path / "new", model, "net")
    assert os.listdir(tmp_path) == []


def test_parents_that_were_made_for_it_go_too(model, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(write.pathlib.Path, "write_bytes", full)
    with pytest.raises(ConvertError, match="c: No space left on device"):
        write_model(tmp_path / "a" / "b" / "c", model, "net")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_there_may_be_a_file_system_of_its_own(model, tmp_path, monkeypatch):
    """What is moved into it comes from within: a rename across file systems fails."""
    def within(source, target, original=os.replace):
        assert tmp_path / "there" in write.pathlib.Path(source).parents
        original(source, target)
    monkeypatch.setattr(write.os, "replace", within)
    (tmp_path / "there").mkdir()
    files = write_model(tmp_path / "there", model, "net")
    assert sorted(os.listdir(tmp_path / "there")) == files and os.listdir(tmp_path) == ["there"]


def test_nothing_is_changed_where_a_file_cannot_take_its_place(model, tmp_path):
    (tmp_path / "model_init.pb").mkdir()
    (tmp_path / "model.pb").write_text("old")
    with pytest.raises(ConvertError, match="model_init.pb: Is a directory"):
        write_model(tmp_path, model, "net")
    assert (tmp_path / "model.pb").read_text() == "old" and sorted(os.listdir(tmp_path)) == ["model.pb", "model_init.pb"]
    with pytest.raises(ConvertError, match="model.pb: File exists"):
        write_model(tmp_path / "model.pb", model, "net")
