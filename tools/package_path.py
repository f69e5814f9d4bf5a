"""Puts the Python package on the path: as it was built here, with its engine, else its sources."""
import importlib
import pathlib
import sys

for _module in ("numpy", "google.protobuf", "yaml"):
    try:
        importlib.import_module(_module)
    except ImportError as e:
        sys.exit("%s: %s: %s; tools/bootstrap.sh installs what is needed for /usr/bin/python3" % (pathlib.Path(sys.argv[0]).name, sys.executable, e))

_root = pathlib.Path(__file__).resolve().parent.parent
_built = _root / "build" / "release" / "python"
sys.path.insert(0, str(_built if _built.is_dir() else _root / "tools" / "python"))
