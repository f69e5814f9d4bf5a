#!/usr/bin/env bash
# Makes people, or other things that a model knows, unrecognisable in what a camera sees.
#
#   pipelines/webcam-blur.sh [--device /dev/videoN | --input INPUT] [--classes NAMES] [--output FILE.mp4] [--model DIR] [...]
#
#   --device DEVICE     camera; default: the first of /dev/video*
#   --input INPUT       instead of a camera: an address, a file, or 'test'
#   --classes NAMES     what to blur, with commas between names, or *; default: person, or * where the model knows no persons
#   --style S           blur, or pixelate; default: blur
#   --output FILE       the blurred video, .mp4 or .mkv; default: a window where there is a display, else blurred.mp4
#   --seconds N         stop by itself so long after the first frame; default: on Ctrl-C
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
#
# A model misses objects: what it does not find is not blurred. A lower threshold and a short interval miss less.
set -euo pipefail
. "$(dirname "$0")/common.sh"

option[style]=blur
parse 0 --device --input --classes --style --output --seconds -- "$@"
check style 'blur|pixelate' "'blur' or 'pixelate'"
labels=${option[model]}/labels.txt
classes=${option[classes]}
if [ -z "$classes" ]; then
  classes=person
  if ! { [ -e "$labels" ] && cut -f 1 "$labels" | grep -qxF person; }; then
    classes='*'
    say "the model knows no persons: blurring all that it finds"
  fi
elif [ "$classes" != '*' ]; then
  [ -e "$labels" ] || die "--classes: the model does not say what its classes are called: no $labels"
  IFS=, read -ra names <<<"$classes"
  for name in "${names[@]}"; do
    cut -f 1 "$labels" | grep -qxF -- "$name" || die "--classes: the model knows no '$name': see $labels"
  done
fi
[ -z "${option[input]}" ] || [ -z "${option[device]}" ] || die "--input and --device: expected one of them"
input=${option[input]}
[ -n "$input" ] || find_camera
source_of "$input"
choose_output blurred.mp4
prepare
detector on-drop=drop qos=false  # no picture passes that was not looked at
sink_to "$output" live
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker max-age=2000 ! \
  caffe2overlay "${option[style]}-classes=$classes" draw-boxes=false draw-labels=false draw-scores=false draw-masks=false \
  draw-keypoints=false draw-ids=false ! queue max-size-buffers=2 ! "${sink[@]}"
