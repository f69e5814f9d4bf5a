"""caffe2_launch's two elements, and how it starts and stops."""
import signal
import time

import pytest

from pipeline_helpers import BUILD, DEMO, changed, errors, frames, summary

LAUNCH = BUILD / "bin" / "caffe2_launch"
PLUGINS = {"GST_PLUGIN_PATH": str(BUILD / "lib" / "gstreamer-1.0")}
DETECTOR = ["videoconvert", "!", "caffe2inference", "model=%s" % DEMO, "!", "fakesink"]


def test_help_names_the_elements(start):
    run = start(LAUNCH, "--help")
    assert run.ended() == 0 and "livesrc" in run.text() and "rtspserversink" in run.text() and "SIGTERM" in run.text()


@pytest.mark.parametrize("words,said", [
    (["livesrc", "!", "fakesink"], "uri: expected one such as rtsp://host/path, got ''"),
    (["livesrc", "uri=nonsense", "!", "fakesink"], "uri: expected one such as rtsp://host/path, got 'nonsense'"),
    (["livesrc", "uri=file:///nowhere.mp4", "!", "fakesink"], "/nowhere.mp4"),
    (["videotestsrc", "!", "x264enc", "!", "rtspserversink", "port=0", "mount=live"], "mount: expected one such as /live, got 'live'"),
    (["videotestsrc", "!", "x264enc", "!", "rtspserversink", "port=0", "address=300.1.2.3"], "cannot serve at 300.1.2.3:0"),
    (["fakesrc"], "expected a pipeline"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_input_is_one_line(start, words, said):
    run = start(LAUNCH, *words)
    assert run.ended(20) == 1 and len(run.lines) == 1 and said in run.text(), run.text()


def test_a_file_plays_at_its_own_speed_and_ends(start, scenes):
    begun = time.monotonic()
    run = start(LAUNCH, "livesrc", "uri=file://%s" % scenes, "!", *DETECTOR, environment=PLUGINS)
    assert run.ended(30) == 0, run.text()
    assert time.monotonic() - begun > 3.5 and summary(run)["frames"] > 30


def test_a_server_that_falls_silent_is_connected_to_anew(serve, start):
    server = serve()
    run = start(LAUNCH, "livesrc", "uri=" + server.url, "timeout=1", "!", *DETECTOR, environment=PLUGINS)
    run.wait_for(r"[1-9]\d* frames")
    server.process.send_signal(signal.SIGSTOP)
    run.wait_for("warning: .*expected a frame within 1 s, got none; trying again", 10)
    server.process.send_signal(signal.SIGCONT)
    run.wait_for("back after", 15)
    assert run.stop(signal.SIGTERM) == 0, run.text()


def test_reconnect_never_fails_with_the_server(serve, start):
    server = serve()
    run = start(LAUNCH, "livesrc", "uri=" + server.url, "reconnect=never", "!", *DETECTOR, environment=PLUGINS)
    run.wait_for(r"[1-9]\d* frames")
    server.close()
    assert run.ended(20) in (0, 1) and len(errors(run)) <= 1 and "trying again" not in run.text()


def test_reconnect_always_waits_for_the_server(serve, start):
    first = serve()
    first.close()
    run = start(LAUNCH, "livesrc", "uri=" + first.url, "reconnect=always", "!", *DETECTOR, environment=PLUGINS)
    run.wait_for("cannot connect: .*trying again")
    serve("--port", str(first.port))
    run.wait_for("back after", 15)
    assert run.stop() == 0, run.text()


def test_every_client_gets_a_key_frame_soon(start):
    """The encoder makes none by itself for ten minutes."""
    run = start(LAUNCH, "videotestsrc", "is-live=true", "!", "video/x-raw,width=320,height=240", "!", "x264enc", "tune=zerolatency",
                "key-int-max=18000", "!", "rtspserversink", "port=0", "address=127.0.0.1")
    url = run.wait_for(r"serving (rtsp://127\.0\.0\.1:\d+/live)").group(1)
    early = frames(url)
    assert next(early)  # perhaps of the encoder's first frame, which is a key frame anyhow
    early.close()
    watching = frames(url, 5)
    _, picture = next(watching)
    late = frames(url, 5)  # while that one watches
    # Without a key frame decoders show grey at best, as they do for a moment until it comes. Some of the picture is noise.
    assert any(changed(next(late)[1], picture) < 0.15 for _ in range(15))
    assert next(watching)
    watching.close()
    late.close()
    assert run.stop() == 0, run.text()


def test_clients_see_the_end(start):
    run = start(LAUNCH, "videotestsrc", "num-buffers=150", "is-live=true", "!", "video/x-raw,width=320,height=240,framerate=30/1", "!",
                "x264enc", "tune=zerolatency", "!", "rtspserversink", "port=0", "address=127.0.0.1")
    url = run.wait_for(r"serving (\S+)").group(1)
    seen = sum(1 for _ in frames(url, 10))
    assert 30 < seen <= 150
    assert run.ended() == 0
