#!/usr/bin/python3
"""An RTSP server for tests: shows pictures in a loop, and prints its port when it listens.

    tests/pipelines/rtsp_server.py --pictures FOLDER [--port N] [--user U --password P] [--loss 0.02] [--codec h264]

FOLDER holds 0000.jpg, 0001.jpg and so on, shown at 15 frames/s at rtsp://127.0.0.1:PORT/live, until the program is killed.
"""
import argparse
import pathlib

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=1500 ! video/x-h264,profile=baseline "
            "! rtph264pay config-interval=-1 pt=96",
    "jpeg": "jpegenc ! rtpjpegpay pt=26",
}


def launch_line(args):
    last = len(list(args.pictures.glob("*.jpg"))) - 1
    # Packets that go lost: those behind the payloader, for the server takes pay0's numbers to be what was sent.
    payload = ENCODERS[args.codec] + (" name=pay0" if not args.loss else " ! identity name=pay0 drop-probability=%g" % args.loss)
    return ("( multifilesrc location=%s/%%04d.jpg loop=true start-index=0 stop-index=%d caps=image/jpeg,framerate=15/1 "
            "! jpegdec ! videoconvert ! video/x-raw,format=I420 ! %s )" % (args.pictures, last, payload))


def add_password(server, factory, user, password):
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    role = Gst.Structure.new_empty("viewer")
    role.set_value("media.factory.access", True)
    role.set_value("media.factory.construct", True)
    factory.add_role_from_structure(role)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pictures", type=pathlib.Path, required=True)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--user")
    p.add_argument("--password")
    p.add_argument("--loss", type=float, default=0)
    p.add_argument("--codec", choices=sorted(ENCODERS), default="h264")
    args = p.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(args.port))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(args))
    factory.set_shared(True)
    if args.user:
        add_password(server, factory, args.user, args.password)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        raise SystemExit("rtsp_server.py: cannot listen at port %d" % args.port)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
