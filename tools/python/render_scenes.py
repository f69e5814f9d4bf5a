#!/usr/bin/env python3
"""Draws the demonstration model's world: a video of it, or a data set in COCO's format.

    tools/python/render_scenes.py --video scenes.mp4 --seconds 12
    tools/python/render_scenes.py --coco FOLDER --count 200
"""
import argparse
import sys


def main():
    p = argparse.ArgumentParser(description="Draws scenes of balls, crates, cans, cones, rings and stars, with exact masks.")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--video", metavar="FILE.mp4", help="write a video of 640x360 at 30 frames/s")
    what.add_argument("--coco", metavar="FOLDER", help="write FOLDER/images and FOLDER/instances.json")
    p.add_argument("--seconds", type=float, default=12, help="of the video; default: %(default)s")
    p.add_argument("--count", type=int, default=200, help="of the data set's images; default: %(default)s")
    p.add_argument("--seed", type=int, default=0, help="of the first scene; the model was trained on scenes from 1000000 on; default: %(default)s")
    args = p.parse_args()
    from demo_model import writing
    try:
        if args.video:
            writing.write_video(args.video, args.seconds, args.seed)
        else:
            writing.write_data_set(args.coco, args.count, args.seed)
    except OSError as e:
        sys.exit("render_scenes.py: %s" % e)


if __name__ == "__main__":
    main()
