"""In a process of its own: the references of tests/python load Debian's PyTorch, whose libtorch is another than ours."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
from helpers import *  # noqa: E402, F401, F403
