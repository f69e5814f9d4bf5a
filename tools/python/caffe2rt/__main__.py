"""python -m caffe2rt predict image.jpg --model DIR [--output out.png]
python -m caffe2rt evaluate --model DIR --images DIR --annotations instances.json [--reference DIR]
"""
import argparse
import sys


def _predict(args):
    from PIL import Image, UnidentifiedImageError

    from . import predict
    try:
        picture = Image.open(args.image).convert("RGB")
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
    if args.output and instances is not None:
        predict.draw(picture, instances, predictor.label).save(args.output)


def _evaluate(args):
    """Prints a table; returns main's exit status."""
    from .evaluate import evaluate
    options = dict(min_size=args.min_size, max_size=args.max_size, threads=args.threads)
    found = evaluate(args.model, args.images, args.annotations, **options)
    reference = evaluate(args.reference, args.images, args.annotations, **options) if args.reference else {}
    worst = 0.0
    print("%-10s %-6s %8s%s" % ("", "", "model", "  reference  difference" if reference else ""))
    for kind, metrics in found.items():
        for metric, value in metrics.items():
            line = "%-10s %-6s %8.3f" % (kind, metric, value)
            if kind in reference:
                difference = value - reference[kind][metric]
                line += " %10.3f %11.3f" % (reference[kind][metric], difference)
                if metric == "AP" and not abs(difference) <= worst:
                    worst = abs(difference)
            print(line)
    if not worst <= args.tolerance:
        print("caffe2rt: error: AP differs by %.3f, expected at most %s" % (worst, args.tolerance), file=sys.stderr)
        return 1
    return 0


def _net_options(p):
    p.add_argument("--model", required=True, metavar="DIR", help="folder with model.pb and model_init.pb")
    p.add_argument("--min-size", type=int, help="short side of the net's input, pixels; default: the net's own, else 800")
    p.add_argument("--max-size", type=int, help="bound on its long side; default: the net's own, else 1333")
    p.add_argument("--threads", type=int, default=0, help="0: all cores")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m caffe2rt", description="detectron2 models exported to Caffe2.")
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("predict", help="what a model sees in a picture")
    p.add_argument("image", help="picture: JPEG, PNG, ...")
    _net_options(p)
    p.add_argument("--output", metavar="FILE", help="where to write the picture with everything drawn on it")
    p.add_argument("--threshold", type=float, default=0.5, help="least score; default: %(default)s")
    p.set_defaults(work=_predict)
    p = commands.add_parser("evaluate", help="average precision on a data set in COCO's format")
    _net_options(p)
    p.add_argument("--images", required=True, metavar="DIR", help="where the images lie")
    p.add_argument("--annotations", required=True, metavar="JSON", help="COCO's annotations of them")
    p.add_argument("--reference", metavar="DIR", help="another model to compare with")
    p.add_argument("--tolerance", type=float, default=0.1, help="exit status 1 where an AP differs by more from the reference's; default: %(default)s")
    p.set_defaults(work=_evaluate)
    args = parser.parse_args(argv)
    try:
        return args.work(args) or 0
    except (RuntimeError, OSError, ValueError) as e:
        print("caffe2rt: error: %s" % e, file=sys.stderr)
        return 1
    except ImportError as e:
        print("caffe2rt: error: %s: pip install 'caffe2rt[%s]'" % (e, args.command), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
