# Shared by the scripts of this folder, which source it: options, sources, elements, sinks, build and start. What these
# functions make are arrays of gst-launch's words, named in their first lines.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
script=$(basename "$0")

die() { echo "$script: error: $*" >&2; exit 1; }
say() { echo "$script: $*" >&2; }

# The comment at the head of the script.
help() { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0; }

# Every script that looks at something knows these.
declare -A option=([model]= [min-size]= [threshold]=0.5 [precision]= [interval]=)
inputs=()

# parse MOST_INPUTS [--NAME ...] -- "$@": fills option[NAME], and inputs with what is no option.
parse() {
  local most=$1 name
  shift
  while [ "$1" != -- ]; do
    option[${1#--}]=${option[${1#--}]:-}
    shift
  done
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) help ;;
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;&
      --*)
        name=${1#--}
        [ -n "$name" ] && [ -n "${option[$name]+known}" ] || die "unknown option '$1' (see --help)"
        [ $# -ge 2 ] || die "$1: expected a value (see --help)"
        option[$name]=$2
        shift 2 ;;
      -*) die "unknown option '$1' (see --help)" ;;
      *)
        [ ${#inputs[@]} -lt "$most" ] || die "expected at most $most input(s), got one more: '$1' (see --help)"
        inputs+=("$1")
        shift ;;
    esac
  done
  check_common
}

# check NAME PATTERN WHAT: a value that was given has to match.
check() {
  local value=${option[$1]}
  [ -z "$value" ] || [[ $value =~ ^($2)$ ]] || die "--$1: expected $3, got '$value'"
}

check_common() {
  [ -n "${option[model]}" ] || option[model]=$here/models/demo
  [ -d "${option[model]}" ] || die "--model: no such folder: ${option[model]}"
  check min-size '[0-9]{1,5}' 'a number of pixels'
  check threshold '0(\.[0-9]+)?|1(\.0+)?' 'a score from 0 to 1'
  check precision 'fp32|bf16|int8|auto' 'fp32, bf16, int8 or auto'
  check interval '[1-9][0-9]{0,5}' 'a number of frames, at least 1'
  if [ -n "${option[seconds]+known}" ]; then check seconds '[0-9]{1,8}(\.[0-9]+)?' 'a number of seconds'; fi
  if [ -n "${option[latency]+known}" ]; then check latency '[0-9]{1,5}' 'a number of milliseconds'; fi
  if [ -n "${option[output]:-}" ]; then check_output "${option[output]}"; fi
}

check_output() {
  case $1 in *.mp4 | *.mkv) ;; *) die "--output: expected a file that ends in .mp4 or .mkv, got '$1'" ;; esac
  [ -d "$(dirname "$1")" ] || die "--output: no such folder: $(dirname "$1")"
  [ ! -d "$1" ] || die "--output: expected a file, got a folder: $1"
}

# Installs and builds what is missing, and makes the elements known. CAFFE2RT_BUILD in the environment names a folder where
# that is done already.
prepare() {
  build=${CAFFE2RT_BUILD:-}
  if [ -z "$build" ]; then
    build=$here/build/release
    "$here/tools/bootstrap.sh" >&2
    [ -e "$build/build.ninja" ] || (cd "$here" && cmake --preset release >/dev/null)
    cmake --build "$build" --target caffe2_launch gstcaffe2 caffe2rt >&2
  fi
  [ -x "$build/bin/caffe2_launch" ] || die "no caffe2_launch in $build/bin: is CAFFE2RT_BUILD a build folder?"
  export GST_PLUGIN_PATH=$build/lib/gstreamer-1.0${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
}

is_address() { [[ $1 =~ ^[a-z]+:// ]]; }

# source=(...): raw video of a file, an address, a camera, or 'test' for a moving test picture.
source_of() {
  if is_address "$1"; then
    [[ $1 =~ ^(rtsp|rtsps|rtspu|rtspt|http|https)://[^/] ]] || die "expected an address such as rtsp://host/path, got '$1'"
    source=(livesrc "uri=$1" "latency=${option[latency]:-200}" ! videoconvert)
  elif [ "$1" = test ]; then
    source=(videotestsrc is-live=true pattern=ball ! "video/x-raw,width=640,height=360,framerate=15/1" ! videoconvert)
  elif [[ $1 == /dev/* ]]; then
    [ -c "$1" ] || die "expected a camera such as /dev/video0, got '$1', which is no device"
    source=(v4l2src "device=$1" ! decodebin ! videoconvert)
  else
    [ -e "$1" ] || die "no such file: $1"
    [ -f "$1" ] || die "expected a video, got '$1'"
    source=(filesrc "location=$1" ! decodebin ! videoconvert)
  fi
}

# input=...: the camera --device, else the first there is, else the test picture.
find_camera() {
  input=${option[device]}
  [ -z "$input" ] || return 0
  for input in /dev/video*; do
    [ ! -c "$input" ] || return 0
  done
  input=test
  say "no camera at /dev/video*: showing a test picture instead"
}

# Of caffe2inference: a window shows the video at its own pace, whether the model keeps up with it or not; set by choose_output.
watched=()

# detector=(...): caffe2inference and what the options say of it; arguments go along.
detector() {
  detector=(caffe2inference "model=${option[model]}" "threshold=${option[threshold]}" "${watched[@]}" "$@")
  [ -z "${option[min-size]}" ] || detector+=("min-size=${option[min-size]}")
  [ -z "${option[precision]}" ] || detector+=("precision=${option[precision]}")
  [ -z "${option[interval]}" ] || detector+=("inference-interval=${option[interval]}")
}

# encoder=(...): H.264. `live` is soon done with a frame; otherwise the files are smaller.
encoder() {
  encoder=(videoconvert ! video/x-raw,format=I420 !)
  if gst-inspect-1.0 --exists x264enc; then
    encoder+=(x264enc speed-preset=veryfast key-int-max=60)
    [ "${1:-}" != live ] || encoder+=(tune=zerolatency)
  elif gst-inspect-1.0 --exists openh264enc; then
    encoder+=(openh264enc gop-size=60)
  else
    die "no H.264 encoder: neither x264enc nor openh264enc is installed"
  fi
  encoder+=(! h264parse)
}

# sink=(...): a file, or without one a window. `live` streams are written so that a file can be played whenever writing stops.
sink_to() {
  local output=$1 live=${2:-}
  if [ -z "$output" ]; then
    sink=(videoconvert ! autovideosink)
    return
  fi
  encoder "$live"
  local mux=(mp4mux)
  [ "$live" != live ] || mux=(mp4mux fragment-duration=1000)
  [[ $output != *.mkv ]] || mux=(matroskamux)
  sink=("${encoder[@]}" ! "${mux[@]}" ! filesink "location=$output" buffer-mode=unbuffered)
}

# output=...: --output, else nothing where there is a display, else the file named here.
choose_output() {
  output=${option[output]}
  if [ -n "$output" ]; then return; fi
  if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    watched=(drop-policy=newest)
    return
  fi
  output=$1
  say "no display: writing $output"
}

# Becomes the pipeline, so that signals reach it: SIGINT and SIGTERM end the stream, and complete a file.
launch() {
  local seconds=()
  [ -z "${option[seconds]:-}" ] || seconds=(--seconds "${option[seconds]}")
  exec "$build/bin/caffe2_launch" "${seconds[@]}" "$@"
}
