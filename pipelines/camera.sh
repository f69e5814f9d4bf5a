#!/usr/bin/env bash
# Finds and follows objects in what a camera sees. Without a camera a test picture stands in for it.
#
#   pipelines/camera.sh [--device /dev/videoN] [--output FILE.mp4] [--seconds N] [--model DIR] [...]
#
#   --device DEVICE     camera; default: the first of /dev/video*
#   --output FILE       annotated video, .mp4 or .mkv; default: a window where there is a display, else camera.mp4
#   --seconds N         stop by itself so long after the first frame; default: on Ctrl-C
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

parse 0 --device --output --seconds -- "$@"
find_camera
source_of "$input"
choose_output camera.mp4
prepare
detector
sink_to "$output" live
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! queue max-size-buffers=2 ! "${sink[@]}"
