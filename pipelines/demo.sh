#!/usr/bin/env bash
# Finds objects in a video and writes it back with boxes, names and scores: installs what is missing, builds, runs.
#
#   pipelines/demo.sh [--model DIR] [--min-size N] [--input FILE] [--output FILE.mp4]
#
#   --model DIR        folder with model.pb and model_init.pb, and labels.txt where there is one
#   --min-size N       short side of the net's input, pixels; default: the model's own, else 800
#   --input FILE       any video that GStreamer decodes
#   --output FILE.mp4  annotated video; default: a window where there is a display, else demo.mp4
#
# Without --model: the project's own small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars.
# Without --input: a video of such things, drawn for the occasion.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

die() { echo "demo.sh: $*" >&2; exit 1; }

model='' min_size='' input='' output=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --model | --min-size | --input | --output)
      [ $# -ge 2 ] || die "$1: expected a value (see --help)"
      case $1 in --model) model=$2 ;; --min-size) min_size=$2 ;; --input) input=$2 ;; --output) output=$2 ;; esac
      shift 2 ;;
    *) die "unknown option '$1' (see --help)" ;;
  esac
done

if [ -z "$model" ]; then
  model=$here/models/demo
else
  [ -n "$input" ] || die "name a video for your model: --input FILE"
fi
[ -d "$model" ] || die "--model: no such folder: $model"
[ -z "$input" ] || [ -e "$input" ] || die "--input: no such file: $input"
[[ $min_size =~ ^[0-9]*$ ]] || die "--min-size: expected a number of pixels, got '$min_size'"
window=0
if [ -z "$output" ]; then
  if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then window=1; else output=demo.mp4; fi
fi

"$here/tools/bootstrap.sh"
build=$here/build/release
[ -e "$build/build.ninja" ] || (cd "$here" && cmake --preset release >/dev/null)
cmake --build "$build" --target caffe2_launch gstcaffe2 caffe2rt

export GST_PLUGIN_PATH=$build/lib/gstreamer-1.0${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
if [ -z "$input" ]; then
  input=$build/scenes.mp4
  if [ ! -e "$input" ]; then
    /usr/bin/python3 "$here/tools/python/render_scenes.py" --video "$build/scenes.part.mp4" --seconds 12 --seed 37
    mv "$build/scenes.part.mp4" "$input"
  fi
fi
elements=(caffe2inference "model=$model" threshold=0.5)
[ -z "$min_size" ] || elements+=("min-size=$min_size")
if gst-inspect-1.0 --exists caffe2tracker; then elements+=(! caffe2tracker); fi
elements+=(! caffe2overlay)
if [ "$window" = 1 ]; then
  sink=(videoconvert ! autovideosink)
else
  encoder=(x264enc speed-preset=veryfast)
  gst-inspect-1.0 --exists x264enc || encoder=(openh264enc)
  gst-inspect-1.0 --exists "${encoder[0]}" || die "no H.264 encoder: neither x264enc nor openh264enc is installed"
  sink=(videoconvert ! "${encoder[@]}" ! h264parse ! mp4mux ! filesink "location=$output")
fi
"$build/bin/caffe2_launch" filesrc "location=$input" ! decodebin ! videoconvert ! "${elements[@]}" ! "${sink[@]}"
[ "$window" = 1 ] || echo "wrote $output"
