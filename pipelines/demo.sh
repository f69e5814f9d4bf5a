#!/usr/bin/env bash
# Finds objects in a video and writes it back with boxes, names and scores: installs what is missing, builds, runs.
#
#   pipelines/demo.sh [--model DIR] [--min-size N] [--input FILE] [--output FILE.mp4]
#
#   --model DIR        folder with model.pb and model_init.pb, and labels.txt where there is one
#   --min-size N       short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T      score from which an object counts, 0 to 1; default: 0.5
#   --precision P      numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N       the net looks at every Nth frame, the tracker bridges the others; default: 1
#   --input FILE       any video that GStreamer decodes
#   --output FILE.mp4  annotated video; default: a window where there is a display, else demo.mp4
#
# Without --model: the project's own small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars.
# Without --input: a video of such things, drawn for the occasion.
set -euo pipefail
. "$(dirname "$0")/common.sh"

parse 0 --input --output -- "$@"
[ "${option[model]}" = "$here/models/demo" ] || [ -n "${option[input]}" ] || die "name a video for your model: --input FILE"
input=${option[input]}
[ -z "$input" ] || [ -f "$input" ] || die "--input: no such file: $input"
choose_output demo.mp4
prepare
if [ -z "$input" ]; then
  input=$build/scenes.mp4
  if [ ! -e "$input" ]; then
    /usr/bin/python3 "$here/tools/python/render_scenes.py" --video "$build/scenes.part.mp4" --seconds 12 --seed 37
    mv "$build/scenes.part.mp4" "$input"
  fi
fi
source_of "$input"
detector
sink_to "$output"
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! "${sink[@]}"
