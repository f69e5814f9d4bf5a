"""python -m caffe2rt predict image.jpg --model DIR [--output out.png]
python -m caffe2rt evaluate --model DIR --images DIR --annotations instances.json [--reference DIR]    (docs/evaluation.md)
"""
import argparse
import sys

from .evaluate import command as evaluation


def _predict(args):
    from PIL import Image, ImageOps, UnidentifiedImageError

    from . import predict
    try:
        picture = ImageOps.exif_transpose(Image.open(args.image)).convert("RGB")
    except (OSError, UnidentifiedImageError) as e:
        raise RuntimeError("%s: cannot be read as an image: %s" % (args.image, e)) from None
    predictor = predict.Predictor(args.model, min_size=args.min_size, max_size=args.max_size, threads=args.threads)
    result = predictor(picture)
    instances = result.get("instances")
    if instances is not None:
        instances = instances[instances.scores >= args.threshold]
        print("%d objects in %dx%d pixels" % (len(instances), picture.width, picture.height))
        for i in range(len(instances)):
            box = " ".join("%.1f" % v for v in instances.pred_boxes.tensor[i])
            print("  %-20s %.3f  box %s" % (predictor.label(int(instances.pred_classes[i])), instances.scores[i], box))
    for segment in result.get("panoptic_seg", (None, []))[1]:
        print("  segment %(id)d category %(category_id)d" % segment)
    if args.output and instances is None:
        raise RuntimeError("--output: what this model sees are no objects, and nothing else is drawn")
    if args.output:
        predict.draw(picture, instances, predictor.label).save(args.output)


def _net_options(p):
    p.add_argument("--model", required=True, metavar="DIR", help="folder with model.pb and model_init.pb")
    p.add_argument("--min-size", type=int, help="short side of the net's input, pixels; 0: as the picture is; default: the net's own, else 800")
    p.add_argument("--max-size", type=int, help="bound on its long side; default: the net's own, else 1333")
    p.add_argument("--threads", type=int, default=0, help="0: all cores")


def main(argv=None, evaluate_prog=None):
    """evaluate_prog: the name under which evaluation was started, where that is a script of its own."""
    parser = argparse.ArgumentParser(prog="python -m caffe2rt", description="detectron2 models exported to Caffe2.")
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("predict", help="what a model sees in a picture")
    p.add_argument("image", help="picture: JPEG, PNG, ...")
    _net_options(p)
    p.add_argument("--output", metavar="FILE", help="where to write the picture with everything drawn on it")
    p.add_argument("--threshold", type=float, default=0.5, help="least score; default: %(default)s")
    p.set_defaults(work=_predict)
    p = commands.add_parser("evaluate", prog=evaluate_prog, help="how good a model is on a data set in COCO's formats")
    _net_options(p)
    evaluation.add_arguments(p)
    p.set_defaults(work=evaluation.run)
    args = parser.parse_args(argv)
    try:
        return args.work(args) or 0
    except (RuntimeError, OSError, ValueError) as e:
        print("caffe2rt: error: %s" % e, file=sys.stderr)
        return 1
    except ImportError as e:
        print("caffe2rt: error: %s: pip install './tools/python[%s]'" % (e, args.command), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
