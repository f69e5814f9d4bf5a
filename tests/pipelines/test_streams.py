"""The scripts of pipelines/ against an RTSP server on this machine: one that goes away, loses packets, wants a password or says
nothing, and against disks that are full and programs that are killed."""
import signal
import socket
import subprocess
import time

import pytest

from pipeline_helpers import ROOT, Running, changed, errors, frames, summary


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def times_of(file):
    return [t for t, _ in frames(file)]


def test_a_server_that_goes_away_is_asked_until_it_is_back(serve, start, tmp_path):
    server = serve()
    run = start("rtsp.sh", server.url, "--output", tmp_path / "out.mp4", environment={"GST_DEBUG": "caffe2inference:4"})
    run.wait_for(r"[1-9]\d* frames")
    server.close()
    gone = time.monotonic()
    run.wait_for("warning: .*%s: .*trying again" % server.url, 20)
    time.sleep(max(0, gone + 10 - time.monotonic()))  # it is down for 10 s
    serve("--port", str(server.port))
    back = time.monotonic()
    run.wait_for("%s: back after [0-9.]+ s" % server.url, 15)
    before = int(run.wait_for(r"^(\d+) frames", 15).group(1))
    assert int(run.wait_for(r"^(\d+) frames", 15).group(1)) > before
    assert time.monotonic() - back < 30 and run.process.poll() is None  # the same process, which goes on
    assert run.stop() == 0, run.text()

    assert run.text().count("INFO") == 1 and "model.pb: GeneralizedRCNN" in run.text()  # one model was loaded, once
    assert len([line for line in run.lines if "trying again" in line]) == 1
    times = times_of(tmp_path / "out.mp4")
    assert times == sorted(set(times))
    steps = [b - a for a, b in zip(times, times[1:])]
    gap = max(steps)
    assert 9 < gap < 25
    after = len(times) - 1 - steps.index(gap)
    seen = summary(run)
    assert after > 50 and seen["can"] > seen["frames"]  # about two in each frame: also in those after the gap


def test_lost_packets_cost_pictures_alone(serve, start, tmp_path):
    server = serve("--loss", "0.02")
    run = start("rtsp.sh", server.url, "--latency", "100", "--output", tmp_path / "out.mkv")
    run.wait_for(r"[1-9]\d* frames")
    assert run.stop() == 0, run.text()
    times = times_of(tmp_path / "out.mkv")
    assert len(times) > 20 and times == sorted(set(times))
    assert not errors(run)


def test_cameras_that_send_jpeg(serve, start, tmp_path):
    server = serve("--codec", "jpeg")
    run = start("rtsp.sh", server.url, "--seconds", "2", "--output", tmp_path / "out.mp4")
    assert run.ended() == 0 and summary(run)["frames"] > 15, run.text()


def test_a_password_is_asked_for_and_not_shown(serve, start, tmp_path):
    server = serve("--user", "me", "--password", "secret9")
    for who in ("", "me:wrong8@", "you:secret9@"):
        url = server.url.replace("://", "://" + who)
        run = start("record.sh", url, "--output", tmp_path / "out.mp4")
        assert run.ended() == 1, run.text()
        assert len(errors(run)) == 1 and "refused the user name or the password" in errors(run)[0]
        assert "secret9" not in run.text() and "wrong8" not in run.text()
    run = start("record.sh", server.url.replace("://", "://me:secret9@"), "--output", tmp_path / "out.mp4", "--seconds", "2")
    assert run.ended() == 0 and summary(run)["frames"] > 15, run.text()


def test_a_server_that_is_not_there_is_one_line(start, tmp_path):
    begun = time.monotonic()
    url = "rtsp://127.0.0.1:%d/live" % closed_port()
    run = start("rtsp.sh", url, "--output", tmp_path / "out.mp4")
    assert run.ended(20) == 1 and time.monotonic() - begun < 10
    assert len(errors(run)) == 1 and url + ": cannot connect" in errors(run)[0], run.text()


def test_a_server_that_says_nothing_is_given_up(start, tmp_path):
    """It accepts, and never answers: 15 s, three times the preset timeout."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        run = start("record.sh", "rtsp://127.0.0.1:%d/live" % silent.getsockname()[1], "--output", tmp_path / "out.mp4")
        assert run.ended(30) == 1, run.text()
    assert len(errors(run)) == 1 and "expected a frame within 15 s, got none" in errors(run)[0]


def test_an_interrupt_while_connecting_ends_at_once(start, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        run = start("rtsp.sh", "rtsp://127.0.0.1:%d/live" % silent.getsockname()[1], "--output", tmp_path / "out.mp4")
        silent.settimeout(20)
        connection, _ = silent.accept()
        with connection:  # which stays open
            assert run.stop(signal.SIGTERM, 8) == 0, run.text()


@pytest.mark.parametrize("name", ["killed.mp4", "killed.mkv"])
def test_what_was_recorded_can_be_played_after_a_kill(serve, start, tmp_path, name):
    server = serve()
    run = start("record.sh", server.url, "--output", tmp_path / name)
    count = int(run.wait_for(r"^([1-9]\d*) frames").group(1))
    run.stop(signal.SIGKILL)
    played = list(frames(tmp_path / name))
    assert len(played) > count - 25  # a fragment holds a second: 15 frames
    assert played[-1][1].shape == (360, 640, 3)


def test_a_full_disk_is_one_line_and_leaves_what_there_is(serve, start, tmp_path):
    server = serve()
    disk, kept = tmp_path / "disk", tmp_path / "kept.mp4"
    disk.mkdir()
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", disk], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("no right to mount a small disk here")
    run = Running(["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=700k none "$1" && "$2" "$3" --output "$1/out.mp4"; status=$?; '
                   'cp "$1/out.mp4" "$4"; exit $status', "sh", disk, ROOT / "pipelines" / "record.sh", server.url, kept])
    try:
        assert run.ended(60) == 1, run.text()
    finally:
        run.close()
    assert len(errors(run)) == 1 and "No space left" in errors(run)[0] and "out.mp4" in errors(run)[0], run.text()
    assert len(times_of(kept)) > 10


def test_restream_serves_whoever_comes(serve, start):
    server = serve()
    run = start("restream.sh", server.url, "--port", "0", "--address", "127.0.0.1", "--mount", "/seen")
    url = run.wait_for(r"serving (rtsp://127\.0\.0\.1:\d+/seen)$").group(1)
    run.wait_for(r"[1-9]\d* frames")
    for _ in range(2):  # the second comes when the first has long begun, or gone
        begun, came = time.monotonic(), []
        for time_and_picture in frames(url):
            came.append(time_and_picture)
            if len(came) == 15:
                break
        assert len(came) == 15 and time.monotonic() - begun < 10
        assert came[-1][1].shape == (360, 640, 3)
    assert run.stop() == 0, run.text()


def test_a_port_that_is_taken_is_one_line(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        run = start("restream.sh", "test", "--address", "127.0.0.1", "--port", str(taken.getsockname()[1]))
        assert run.ended() == 1
    assert len(errors(run)) == 1 and "Address already in use" in errors(run)[0], run.text()


def test_multi_mixes_files_streams_and_test_pictures(serve, start, scenes, tmp_path):
    server = serve()
    run = start("multi.sh", scenes, server.url, "test", scenes, "--tile", "320x180", "--seconds", "5", "--output", tmp_path / "out.mp4",
                environment={"GST_DEBUG": "caffe2inference:4"})
    assert run.ended(60) == 0, run.text()
    assert run.text().count("model.pb: GeneralizedRCNN") == 1  # four streams, one model
    pictures = list(frames(tmp_path / "out.mp4"))
    late = pictures[len(pictures) // 2][1]
    assert late.shape == (360, 640, 3)
    for y, x in ((0, 0), (0, 320), (180, 320)):
        assert late[y:y + 180, x:x + 320].std() > 10
    assert (late[180:, :320].max() > 200) and late[180:, :320].mean() < 60  # a ball on black
    assert changed(pictures[-1][1], late) > 0.01
