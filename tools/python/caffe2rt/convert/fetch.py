"""Fetches weights into a cache, with progress; a fetch that was cut off goes on where it stopped, and what came is checked.

`detectron2://PATH` stands for detectron2's model zoo, as in its configurations.
"""
import hashlib
import http.client
import os
import pathlib
import re
import sys
import urllib.error
import urllib.request

from .errors import ConvertError

_ZOO = "https://dl.fbaipublicfiles.com/detectron2/"
_CHUNK = 1 << 20
_TIMEOUT = 60  # seconds without a byte
_HUB = "https://download.pytorch.org/"
# URLs that say how their file's digest begins: detectron2's zoo (MODEL_ZOO.md) and its mirrors, and torch.hub. Elsewhere digits may be a date.
_DIGESTS = ((re.compile(r".*/\d{6,}/model_(?:final|\d+)_([0-9a-f]{6})\.pkl"), hashlib.md5),
            (re.compile(re.escape(_HUB) + r".*-([0-9a-f]{8})\.pth"), hashlib.sha256))


def cache_folder():
    """~/.cache/gst-caffe2/weights, or under XDG_CACHE_HOME."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "gst-caffe2" / "weights"


def is_remote(name):
    return name.startswith(("http://", "https://", "detectron2://"))


class _Progress:
    """One line on a terminal; nothing elsewhere."""

    def __init__(self, name, total):
        self._name, self._total = name, total
        self._shown = sys.stderr.isatty()

    def show(self, done):
        if self._shown:
            share = " %3d %%" % (100 * done // self._total) if self._total else ""
            print("\r%s: %.1f MB%s" % (self._name, done / 1e6, share), end="", file=sys.stderr, flush=True)

    def finish(self):
        if self._shown:
            print(file=sys.stderr)


def _receive(url, part, name):
    """Appends what is missing to `part`. Returns when the file is whole."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": "bytes=%d-" % have} if have else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        resumed = answer.status == 206
        length = answer.headers.get("Content-Length")
        total = int(length) + (have if resumed else 0) if length else None
        progress, done = _Progress(name, total), have if resumed else 0
        with open(part, "ab" if resumed else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress.show(done)
        progress.finish()
    if total is not None and done != total:
        raise ConvertError("expected %d bytes, got %d; run it again to go on from there" % (total, done))


def _check(part, url):
    """Throws away and refuses what is not the file that its URL promises."""
    for pattern, digest in _DIGESTS:
        match = pattern.fullmatch(url)
        if not match:
            continue
        found = digest()
        with open(part, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
        if not found.hexdigest().startswith(match[1]):
            part.unlink()
            raise ConvertError("damaged, or not what its name says: expected %s %s..., got %s" % (found.name, match[1], found.hexdigest()[:len(match[1])]))


def fetch(name):
    """The local file of a remote name; a file that is in the cache is not fetched again. Raises ConvertError that names the URL."""
    url = _ZOO + name[len("detectron2://"):] if name.startswith("detectron2://") else name
    file = url.rsplit("/", 1)[-1].split("?")[0] or "weights"
    folder = cache_folder() / hashlib.sha256(url.encode()).hexdigest()[:16]
    path, part = folder / file, folder / (file + ".part")
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _receive(url, part, file)
        except urllib.error.HTTPError as e:
            if e.code != 416 or not part.exists():  # asked for what is past the end: what is there is not ours
                raise
            part.unlink()
            _receive(url, part, file)
        _check(part, url)
        part.rename(path)
    except ConvertError as e:
        raise ConvertError("%s: %s" % (url, e)) from None
    except urllib.error.HTTPError as e:
        raise ConvertError("%s: %s %s" % (url, e.code, e.reason)) from None
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise ConvertError("%s: %s" % (url, getattr(e, "reason", None) or str(e) or type(e).__name__)) from None
    return path
