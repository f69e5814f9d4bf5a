"""convert/fetch.py, against a file server on this machine."""
import hashlib
import http.server
import re
import threading

import pytest

from caffe2rt.convert import fetch
from caffe2rt.convert.errors import ConvertError

DATA = bytes(range(256)) * 5000


class Handler(http.server.BaseHTTPRequestHandler):
    cut_after = None   # bytes, once
    requests = []

    def do_GET(self):
        asked = self.headers.get("Range")
        Handler.requests.append(asked)
        if "model" not in self.path:
            return self.send_error(404, "Not Found")
        begin = int(asked[len("bytes="):-1]) if asked else 0
        if begin >= len(DATA):
            return self.send_error(416, "Range Not Satisfiable")
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(DATA) - begin))
        self.end_headers()
        body, Handler.cut_after = DATA[begin:][:Handler.cut_after], None
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.requests, Handler.cut_after = [], None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def hub(url, monkeypatch):
    """This server in the place of torch.hub's."""
    monkeypatch.setattr(fetch, "_DIGESTS", [(re.compile(pattern.pattern.replace(re.escape(fetch._HUB), re.escape(url + "/"))), digest)
                                            for pattern, digest in fetch._DIGESTS])
    return url


def test_elsewhere_digits_may_be_a_date(url):
    for name in ("model-20240115.pth", "model_final_123456.pkl"):
        assert fetch.fetch(url + "/" + name).read_bytes() == DATA


def test_a_file_is_fetched_once(url):
    path = fetch.fetch(url + "/a/model.pkl?x=1")
    assert path.name == "model.pkl" and path.read_bytes() == DATA
    assert fetch.fetch(url + "/a/model.pkl?x=1") == path
    assert Handler.requests == [None]


def test_a_fetch_that_was_cut_off_goes_on(url):
    Handler.cut_after = 100_000
    with pytest.raises(ConvertError, match="model.pkl: expected 1280000 bytes, got 100000"):
        fetch.fetch(url + "/model.pkl")
    assert fetch.fetch(url + "/model.pkl").read_bytes() == DATA
    assert Handler.requests == [None, "bytes=100000-"]


def test_leftovers_of_another_file_are_thrown_away(url):
    Handler.cut_after = 0
    with pytest.raises(ConvertError):
        fetch.fetch(url + "/model.pkl")
    part = next(fetch.cache_folder().rglob("*.part"))
    part.write_bytes(DATA + b"more")
    assert fetch.fetch(url + "/model.pkl").read_bytes() == DATA


def test_what_is_not_there_is_named(url):
    with pytest.raises(ConvertError, match="other.pkl: 404 Not Found"):
        fetch.fetch(url + "/other.pkl")
    with pytest.raises(ConvertError, match="http://127.0.0.1:9/model.pkl: .*refused"):
        fetch.fetch("http://127.0.0.1:9/model.pkl")


def test_the_zoos_names_are_known():
    assert fetch.is_remote("detectron2://COCO-Detection/x/1/model_final.pkl")
    assert not fetch.is_remote("/a/b.pkl")


@pytest.mark.parametrize("name", ["137849600/model_final_%s.pkl" % hashlib.md5(DATA).hexdigest()[:6],
                                  "137849600/model_0039999_%s.pkl" % hashlib.md5(DATA).hexdigest()[:6],
                                  "model-%s.pth" % hashlib.sha256(DATA).hexdigest()[:8]])
def test_a_file_is_what_its_name_says(hub, name):
    assert fetch.fetch(hub + "/" + name).read_bytes() == DATA


@pytest.mark.parametrize("name, digest", [("137849600/model_final_f10217.pkl", "md5 f10217"), ("maskrcnn_model-bf2d0c1e.pth", "sha256 bf2d0c1e")])
def test_what_is_not_the_file_that_its_name_says_is_thrown_away(hub, name, digest):
    with pytest.raises(ConvertError, match=name + ": damaged, or not what its name says: expected " + digest):
        fetch.fetch(hub + "/" + name)
    assert not [p for p in fetch.cache_folder().rglob("*") if p.is_file()]


def test_a_stream_that_breaks_off_is_named(url, monkeypatch):
    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"100\r\nabc")
    monkeypatch.setattr(Handler, "do_GET", chunked)
    with pytest.raises(ConvertError, match="model.pkl: "):
        fetch.fetch(url + "/model.pkl")
