"""Puts the Python package on the path: as it was built here, with its engine, else its sources."""
import pathlib
import sys

_root = pathlib.Path(__file__).resolve().parent.parent
_built = _root / "build" / "release" / "python"
sys.path.insert(0, str(_built if _built.is_dir() else _root / "tools" / "python"))
