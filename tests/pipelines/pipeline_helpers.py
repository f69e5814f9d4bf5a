"""What the tests of the scripts in pipelines/ share: scripts and servers that run, and what is in the files they write."""
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

gi = pytest.importorskip("gi")
gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
BUILD = pathlib.Path(os.environ.get("CAFFE2RT_BUILD", ROOT / "build" / "release"))
DEMO = ROOT / "models" / "demo"
ENVIRONMENT = dict(os.environ, CAFFE2RT_BUILD=str(BUILD), DISPLAY="", WAYLAND_DISPLAY="", GST_DEBUG_NO_COLOR="1",
                   OMP_WAIT_POLICY="passive")
SCENE_SECONDS, SCENE_RATE = 4, 30


class Running:
    """A program that runs: its lines, of both streams, as they come."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=dict(ENVIRONMENT, **options.pop("environment", {})), **options)
        self.lines, self._fresh = [], queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._fresh.put(self.lines[-1])
        self._fresh.put(None)

    def wait_for(self, pattern, seconds=30):
        """The match in the next line that has one."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._fresh.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            found = line is not None and re.search(pattern, line)
            if found:
                return found
            assert line is not None, "no line with '%s' within %g s, or before the end:\n%s" % (pattern, seconds, self.text())

    def ended(self, seconds=30):
        """The exit status."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    def stop(self, by=signal.SIGINT, seconds=15):
        self.process.send_signal(by)
        return self.ended(seconds)

    def text(self):
        return "\n".join(self.lines)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def errors(running):
    return [line for line in running.lines if "error" in line]


@pytest.fixture
def start():
    """start(script, *arguments): a script of pipelines/ that runs."""
    for needed in (BUILD / "bin" / "caffe2_launch", BUILD / "lib" / "gstreamer-1.0" / "libgstcaffe2.so"):
        if not needed.exists():
            pytest.skip("%s is not built" % needed)
    begun = []

    def begin(script, *arguments, **options):
        begun.append(Running([ROOT / "pipelines" / script, *arguments], **options))
        return begun[-1]
    yield begin
    for running in begun:
        running.close()


@pytest.fixture
def serve(pictures):
    """serve(*arguments): an RTSP server that shows the scenes; its port is .port."""
    try:
        gi.require_version("GstRtspServer", "1.0")
    except ValueError:
        pytest.skip("gir1.2-gst-rtsp-server-1.0 is not installed")
    begun = []

    def begin(*arguments):
        server = Running([sys.executable, pathlib.Path(__file__).parent / "rtsp_server.py", "--pictures", pictures, *arguments])
        begun.append(server)
        server.port = int(server.wait_for(r"^(\d+)$").group(1))
        server.url = "rtsp://127.0.0.1:%d/live" % server.port
        return server
    yield begin
    for server in begun:
        server.close()


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """A video of what the demonstration model knows."""
    pytest.importorskip("cv2")
    video = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    subprocess.run([sys.executable, ROOT / "tools" / "python" / "render_scenes.py", "--video", video, "--seconds", str(SCENE_SECONDS), "--seed",
                    "37"], check=True)
    return video


@pytest.fixture(scope="session")
def pictures(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i, (_, frame) in enumerate(list(frames(scenes))[::2]):
        import cv2
        cv2.imwrite(str(folder / ("%04d.jpg" % i)), frame[:, :, ::-1])
    return folder


def media(name):
    """A real video."""
    if not (SHARED / "media" / name).exists():
        pytest.skip("no %s beside the checkout" % (SHARED.name + "/media/" + name))
    return SHARED / "media" / name


def _buffers(source, caps, seconds=30):
    """(timestamp in s, pixels or None) of what a pipeline shows; the end of a broken file is its end."""
    pipeline = Gst.parse_launch("%s ! appsink name=out sync=false max-buffers=4 caps=%s" % (source, caps))
    pipeline.set_state(Gst.State.PLAYING)
    out = pipeline.get_by_name("out")
    try:
        while True:
            sample = out.emit("try-pull-sample", seconds * Gst.SECOND)
            if sample is None:
                return
            yield sample
    finally:
        pipeline.set_state(Gst.State.NULL)


def frames(file_or_url, seconds=30):
    """(timestamp in s, (height, width, 3) uint8 RGB) of every frame of a file or an RTSP stream."""
    source = "rtspsrc location=%s latency=50" % file_or_url if "://" in str(file_or_url) else "filesrc location=%s" % file_or_url
    for sample in _buffers(source + " ! decodebin ! videoconvert", "video/x-raw,format=RGB", seconds):
        size = sample.get_caps().get_structure(0)
        width, height = size.get_value("width"), size.get_value("height")
        buffer = sample.get_buffer()
        pixels = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        stride = len(pixels) // height
        yield buffer.pts / Gst.SECOND, pixels.reshape(height, stride)[:, :3 * width].reshape(height, width, 3)


def changed(frame, original):
    """The part of the pixels that differ for anyone to see."""
    return (np.abs(frame.astype(int) - original).max(axis=2) > 60).mean()


def summary(running):
    """{label: how many} of the end of a run, and 'frames'."""
    found = {label: int(n) for label, n in re.findall(r"^  (\S.*?)\s+(\d+)$", running.text(), re.MULTILINE)}
    found["frames"] = int(re.findall(r"^(\d+) frames", running.text(), re.MULTILINE)[-1])
    return found


def needs(program):
    if not shutil.which(program):
        pytest.skip("no %s here" % program)
