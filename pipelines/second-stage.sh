#!/usr/bin/env bash
# Finds objects, and has a second model look at each of them: a classifier, or another detector.
#
#   pipelines/second-stage.sh INPUT --second DIR [--class NAME] [--output FILE.mp4] [--model DIR] [...]
#
#   INPUT               an address, a file, a camera such as /dev/video0, or 'test'
#   --second DIR        folder of the second model, as --model's
#   --class NAME        only objects of this class are looked at again; default: all
#   --output FILE       annotated video, .mp4 or .mkv; default: a window where there is a display, else second-stage.mp4
#   --seconds N         stop by itself so long after the first frame; default: at INPUT's end, or on Ctrl-C
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

parse 1 --second --class --output --seconds -- "$@"
[ ${#inputs[@]} = 1 ] || die "expected an input (see --help)"
[ -n "${option[second]}" ] || die "expected the folder of a second model: --second DIR (see --help)"
[ -d "${option[second]}" ] || die "--second: no such folder: ${option[second]}"
live=live
[ ! -f "${inputs[0]}" ] || live=
source_of "${inputs[0]}"
choose_output second-stage.mp4
prepare
detector
second=(caffe2inference "model=${option[second]}" "${watched[@]}" inference-region=roi "threshold=${option[threshold]}")
[ -z "${option[class]}" ] || second+=("object-class=${option[class]}")
sink_to "$output" $live
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! "${second[@]}" ! caffe2overlay ! queue max-size-buffers=2 ! "${sink[@]}"
