"""The scripts of pipelines/ that need no server."""
import os
import pathlib
import subprocess

import numpy as np
import pytest

from pipeline_helpers import BUILD, DEMO, ENVIRONMENT, ROOT, SCENE_RATE, SCENE_SECONDS, SHARED, changed, errors, frames, media, needs, summary

SCRIPTS = sorted(p.name for p in (ROOT / "pipelines").glob("*.sh") if p.name != "common.sh")


def refuses(script, *arguments):
    """The one line in which a script says what it does not like, before it builds anything."""
    environment = dict(ENVIRONMENT, CAFFE2RT_BUILD="/nowhere")
    result = subprocess.run([ROOT / "pipelines" / script, *arguments], capture_output=True, text=True, env=environment, timeout=20)
    assert result.returncode == 1 and result.stderr.count("\n") == 1 and not result.stdout, (result.stdout, result.stderr)
    assert result.stderr.startswith(script + ": error: ")
    return result.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself(script):
    result = subprocess.run([ROOT / "pipelines" / script, "--help"], capture_output=True, text=True, timeout=20, check=True)
    assert "pipelines/" + script in result.stdout and "--model DIR" in result.stdout and "set -euo" not in result.stdout
    known = set(dict.fromkeys(word.split()[0] for word in result.stdout.split("\n  ") if word.startswith("--")))
    assert known >= {"--model", "--min-size", "--threshold", "--precision", "--interval"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_refuses_what_it_does_not_know(script):
    assert "--nonsense" in refuses(script, "--nonsense")
    assert "--model: expected a value" in refuses(script, "--model")
    assert "--model: no such folder: /nowhere" in refuses(script, "--model", "/nowhere")
    assert "--threshold: expected a score from 0 to 1, got '7'" in refuses(script, "--threshold", "7")
    assert "--min-size: expected a number of pixels, got 'x'" in refuses(script, "--min-size=x")


@pytest.mark.parametrize("arguments,said", [
    (("file.sh",), "expected a video file"),
    (("file.sh", "/nowhere.mp4", "--output", "a.mp4"), "no such file: /nowhere.mp4"),
    (("file.sh", "rtsp://host/x"), "rtsp.sh takes addresses"),
    (("file.sh", "a", "b"), "expected at most 1 input"),
    (("file.sh", "x.mp4", "--output", "a.avi"), "expected a file that ends in .mp4 or .mkv, got 'a.avi'"),
    (("file.sh", "x.mp4", "--output", "/nowhere/a.mp4"), "no such folder: /nowhere"),
    (("rtsp.sh", "camera"), "expected an address such as rtsp://host/path, got 'camera'"),
    (("rtsp.sh", "ftp://host/x"), "expected an address such as rtsp://host/path, got 'ftp://host/x'"),
    (("rtsp.sh", "rtsp://host/x", "--latency", "soon"), "--latency: expected a number of milliseconds, got 'soon'"),
    (("record.sh",), "expected the URL of a stream"),
    (("restream.sh", "test", "--port", "70000"), "--port: expected at most 65535"),
    (("restream.sh", "test", "--mount", "live"), "--mount: expected a path such as /live, got 'live'"),
    (("multi.sh",), "expected inputs"),
    (("multi.sh", "test", "--tile", "5x5"), "--tile: expected even numbers"),
    (("second-stage.sh", "test"), "expected the folder of a second model"),
    (("webcam-blur.sh", "--classes", "ball,moon"), "the model knows no 'moon'"),
    (("camera.sh", "--device", "/dev/nothing", "--output", "a.mp4"), "expected a camera such as /dev/video0, got '/dev/nothing'"),
], ids=lambda value: "" if isinstance(value, str) else " ".join(value))
def test_bad_input_is_one_line(arguments, said):
    assert said in refuses(*arguments)


def test_file_writes_the_video_back_with_what_was_seen(start, scenes, tmp_path):
    run = start("file.sh", scenes, "--output", tmp_path / "out.mp4")
    assert run.ended(60) == 0, run.text()
    seen = summary(run)
    assert seen["frames"] == SCENE_SECONDS * SCENE_RATE and seen["ball"] > 0.8 * seen["frames"]
    before, after = [f for _, f in frames(scenes)], [f for _, f in frames(tmp_path / "out.mp4")]
    assert len(after) == len(before)
    parts = [changed(a, b) for a, b in zip(after[5:], before[5:])]
    assert 0.02 < min(parts) and max(parts) < 0.5


def test_file_finds_cars_in_a_real_video(start, tmp_path):
    model = SHARED / "models" / "d2go_faster_rcnn"
    if not model.exists():
        pytest.skip("no real detector beside the checkout")
    run = start("file.sh", media("car-detection.mp4"), "--model", model, "--min-size", "320", "--interval", "3", "--output", tmp_path / "cars.mkv")
    assert run.ended(120) == 0, run.text()
    assert summary(run)["car"] >= 5  # a small model, and every third frame
    assert sum(1 for _ in frames(tmp_path / "cars.mkv")) == summary(run)["frames"]


def test_a_file_that_is_no_video_is_one_line(start, tmp_path):
    (tmp_path / "text.mp4").write_text("no video " * 100)
    run = start("file.sh", tmp_path / "text.mp4", "--output", tmp_path / "out.mp4")
    assert run.ended() == 1 and len(errors(run)) == 1, run.text()


def test_demo_takes_a_video(start, scenes, tmp_path):
    run = start("demo.sh", "--input", scenes, "--output", tmp_path / "out.mp4")
    assert run.ended(60) == 0 and summary(run)["can"] > 100, run.text()


def test_camera_without_a_camera_shows_a_test_picture(start, tmp_path):
    if list(pathlib.Path("/dev").glob("video*")):
        pytest.skip("this machine has a camera")
    run = start("camera.sh", "--seconds", "2", "--output", tmp_path / "out.mp4")
    run.wait_for("no camera at /dev/video.*test picture")
    assert run.ended() == 0 and summary(run)["frames"] > 15, run.text()
    times = [t for t, _ in frames(tmp_path / "out.mp4")]
    assert len(times) > 15 and times == sorted(set(times))


def test_what_is_no_camera_is_one_line(start, tmp_path):
    run = start("camera.sh", "--device", "/dev/null", "--output", tmp_path / "out.mp4")
    assert run.ended() == 1 and len(errors(run)) == 1 and "/dev/null" in errors(run)[0], run.text()


BUSY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <linux/videodev2.h>
// /dev/zero as a camera that another program streams from.
int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (request == VIDIOC_QUERYCAP) {
    struct v4l2_capability* what = argument;
    memset(what, 0, sizeof *what);
    strcpy((char*)what->driver, "fake");
    strcpy((char*)what->card, "Fake camera");
    what->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
    what->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    return 0;
  }
  if (request == VIDIOC_ENUM_FMT) {
    struct v4l2_fmtdesc* format = argument;
    if (format->index > 0 || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) { errno = EINVAL; return -1; }
    format->pixelformat = V4L2_PIX_FMT_YUYV;
    return 0;
  }
  if (request == VIDIOC_TRY_FMT || request == VIDIOC_G_FMT) {
    struct v4l2_format* format = argument;
    if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) { errno = EINVAL; return -1; }
    format->fmt.pix.width = 640, format->fmt.pix.height = 480;
    format->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV, format->fmt.pix.field = V4L2_FIELD_NONE;
    format->fmt.pix.bytesperline = 1280, format->fmt.pix.sizeimage = 614400;
    return 0;
  }
  if (request == VIDIOC_S_FMT || request == VIDIOC_REQBUFS || request == VIDIOC_STREAMON) { errno = EBUSY; return -1; }
  if (((request >> 8) & 0xff) == 'V') { errno = EINVAL; return -1; }
  int (*next)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
  return next(fd, request, argument);
}
"""


def test_a_camera_that_is_taken_is_one_line(start, tmp_path):
    needs("cc")
    (tmp_path / "busy.c").write_text(BUSY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "busy.so", tmp_path / "busy.c", "-ldl"], check=True)
    run = start("camera.sh", "--device", "/dev/zero", "--output", tmp_path / "out.mp4", environment={"LD_PRELOAD": str(tmp_path / "busy.so")})
    assert run.ended() == 1 and len(errors(run)) == 1 and "busy" in errors(run)[0] and "/dev/zero" in errors(run)[0], run.text()


def test_multi_shows_two_files_side_by_side_with_one_model(start, scenes, tmp_path):
    run = start("multi.sh", scenes, scenes, "--tile", "320x180", "--output", tmp_path / "out.mkv",
                environment={"GST_DEBUG": "caffe2inference:4"})
    assert run.ended(60) == 0, run.text()
    assert summary(run)["frames"] > 1.5 * SCENE_SECONDS * SCENE_RATE
    pictures = [f for _, f in frames(tmp_path / "out.mkv")]
    assert pictures[0].shape == (180, 640, 3)  # two columns, one row
    middle = pictures[len(pictures) // 2]
    assert middle[:, :320].std() > 10
    # The same twice, from the same file: perhaps one picture later. A file without its key frames would be grey or black.
    assert sum(changed(p[:, :320], p[:, 320:]) < 0.1 for p in pictures[10:]) > 0.8 * len(pictures[10:])
    assert run.text().count("model.pb: GeneralizedRCNN") == 1


def detail(picture, where):
    """How sharp a picture is there: the mean step from one pixel to the next."""
    steps = np.abs(np.diff(picture.astype(int), axis=1)).max(axis=2)
    return steps[where[:, :-1]].mean()


def test_blur_leaves_the_rest_as_it_is(start, scenes, tmp_path):
    run = start("webcam-blur.sh", "--input", scenes, "--classes", "can", "--output", tmp_path / "out.mp4")
    assert run.ended(60) == 0, run.text()
    before, after = [f for _, f in frames(scenes)], [f for _, f in frames(tmp_path / "out.mp4")]
    boxed = start("file.sh", scenes, "--output", tmp_path / "boxes.mp4")
    assert boxed.ended(60) == 0
    assert len(after) == len(before)
    for i in range(20, len(before), 20):
        difference = np.abs(after[i].astype(int) - before[i]).max(axis=2) > 40
        assert 0.003 < difference.mean() < 0.15  # cans, which are blurred, and not all there is
        assert detail(after[i], difference) < 0.7 * detail(before[i], difference)


def test_blur_takes_all_there_is_from_a_model_without_persons(start, scenes, tmp_path):
    run = start("webcam-blur.sh", "--input", scenes, "--style", "pixelate", "--output", tmp_path / "out.mkv")
    run.wait_for("knows no persons: blurring all")
    assert run.ended(60) == 0, run.text()
    first, last = list(frames(scenes))[60][1], list(frames(tmp_path / "out.mkv"))[60][1]
    assert changed(last, first) > 0.02


def test_second_stage_looks_at_regions(start, scenes, tmp_path):
    run = start("second-stage.sh", scenes, "--second", DEMO, "--class", "can", "--output", tmp_path / "out.mp4")
    assert run.ended(120) == 0, run.text()
    assert summary(run)["frames"] == SCENE_SECONDS * SCENE_RATE  # not once a stage
    assert sum(1 for _ in frames(tmp_path / "out.mp4")) == SCENE_SECONDS * SCENE_RATE
    missing = start("second-stage.sh", scenes, "--second", tmp_path, "--output", tmp_path / "out.mp4")
    assert missing.ended() == 1 and len(errors(missing)) == 1 and str(tmp_path) in errors(missing)[0], missing.text()


def test_scripts_say_where_they_expect_the_build(tmp_path, scenes):
    result = subprocess.run([ROOT / "pipelines" / "file.sh", scenes, "--output", tmp_path / "out.mp4"], capture_output=True, text=True,
                            env=dict(os.environ, CAFFE2RT_BUILD=str(tmp_path)), timeout=20)
    assert result.returncode == 1 and "CAFFE2RT_BUILD" in result.stderr and str(BUILD) not in result.stderr
