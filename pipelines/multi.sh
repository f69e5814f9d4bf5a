#!/usr/bin/env bash
# Looks at many streams with one model in memory, and shows them side by side.
#
#   pipelines/multi.sh INPUT INPUT ... [--output FILE.mp4] [--seconds N] [--tile WxH] [--latency MS] [--model DIR] [...]
#
#   INPUT               an address, a file, a camera such as /dev/video0, or 'test'
#   --output FILE       annotated video, .mp4 or .mkv; default: a window where there is a display, else multi.mp4
#   --seconds N         stop by itself so long after the first frame; default: when all inputs have ended, or on Ctrl-C
#   --tile WxH          size of each picture, pixels, even numbers; default: 640x360
#   --latency MS        how long packets that are late are waited for; default: 200
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

option[latency]=200 option[tile]=640x360
parse 64 --latency --output --seconds --tile -- "$@"
[ ${#inputs[@]} -ge 1 ] || die "expected inputs (see --help)"
check tile '[1-9][0-9]{0,3}x[1-9][0-9]{0,3}' 'a size such as 640x360'
width=${option[tile]%x*} height=${option[tile]#*x}
[ $((width % 2 + height % 2)) = 0 ] || die "--tile: expected even numbers, got '${option[tile]}'"

# As near to a square of tiles as their number allows.
columns=1
while [ $((columns * columns)) -lt ${#inputs[@]} ]; do columns=$((columns + 1)); done
rows=$(((${#inputs[@]} + columns - 1) / columns))
# All of it said: what would change with the first picture of an input, files could not follow.
canvas="video/x-raw,format=I420,width=$((columns * width)),height=$((rows * height)),framerate=15/1,pixel-aspect-ratio=1/1"
canvas+=,colorimetry=bt709,chroma-site=mpeg2,interlace-mode=progressive
view=(compositor name=view background=black)
branches=()
for i in "${!inputs[@]}"; do
  source_of "${inputs[$i]}"
  detector model-instance-id=shared
  view+=("sink_$i::xpos=$((i % columns * width))" "sink_$i::ypos=$((i / columns * height))")
  # Files play at their own speed, as cameras do.
  [ ! -f "${inputs[$i]}" ] || source+=(! identity sync=true)
  branches+=("${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! videoconvert ! videoscale add-borders=true !
    "video/x-raw,format=I420,width=$width,height=$height,pixel-aspect-ratio=1/1" ! queue ! "view.sink_$i")
done
choose_output multi.mp4
prepare
sink_to "$output" live
# The compositor of GStreamer 1.22 may show its first picture twice at the same time, which no file can hold.
launch "${view[@]}" ! "$canvas" ! videorate skip-to-first=true ! queue ! "${sink[@]}" "${branches[@]}"
