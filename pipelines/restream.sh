#!/usr/bin/env bash
# Serves a stream, file or camera again over RTSP, with boxes, names and numbers. Prints the address to open.
#
#   pipelines/restream.sh INPUT [--port N] [--mount PATH] [--address A] [--latency MS] [--model DIR] [...]
#
#   INPUT               an address, a file, a camera such as /dev/video0, or 'test'
#   --port N            TCP port to serve at; default: 8554; 0: any that is free
#   --mount PATH        path in the address; default: /live
#   --address A         address to listen at; default: 0.0.0.0, whoever reaches this machine; 127.0.0.1: this machine alone
#   --latency MS        how long packets of INPUT that are late are waited for; default: 200
#   --seconds N         stop by itself so long after the first frame; default: at INPUT's end, or on Ctrl-C
#   --model DIR         folder with model.pb and model_init.pb, and labels.txt where there is one; default: the project's own
#                       small Mask R-CNN (models/demo), which knows balls, crates, cans, cones, rings and stars
#   --min-size N        short side of the net's input, pixels; default: the model's own, else 800
#   --threshold T       score from which an object counts, 0 to 1; default: 0.5
#   --precision P       numbers of the net: fp32, bf16, int8, auto; default: auto
#   --interval N        the net looks at every Nth frame, the tracker bridges the others; default: 1
set -euo pipefail
. "$(dirname "$0")/common.sh"

option[latency]=200 option[port]=8554 option[mount]=/live option[address]=0.0.0.0
parse 1 --latency --port --mount --address --seconds -- "$@"
[ ${#inputs[@]} = 1 ] || die "expected an input (see --help)"
check port '[0-9]{1,5}' 'a port number'
[ "${option[port]:-0}" -le 65535 ] || die "--port: expected at most 65535, got '${option[port]}'"
check mount '/[^ ]*' 'a path such as /live'
source_of "${inputs[0]}"
prepare
detector
encoder live
launch "${source[@]}" ! "${detector[@]}" ! caffe2tracker ! caffe2overlay ! queue max-size-buffers=2 ! "${encoder[@]}" ! \
  rtspserversink "address=${option[address]}" "port=${option[port]}" "mount=${option[mount]}"
