#!/usr/bin/env bash
# Finds and follows objects in a video file, and shows them or writes the video back with boxes, names and numbers.
#
#   pipelines/file.sh FILE [--output FILE.mp4] [--model DIR] [...]
#
#   --output FILE       annotated video, .mp4 or .mkv; default: a window where there is a display, else annotated.mp4
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

parse 1 --output -- "$@"
[ ${#inputs[@]} = 1 ] || die "expected a video file (see --help)"
! is_address "${inputs[0]}" || die "expected a file, got '${inputs[0]}': rtsp.sh takes addresses"
source_of "${inputs[0]}"
choose_output annotated.mp4
[ ! "${inputs[0]}" -ef "$output" ] || die "--output: is the input itself: $output"
prepare
detector
sink_to "$output"
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! queue max-size-buffers=2 ! "${sink[@]}"
