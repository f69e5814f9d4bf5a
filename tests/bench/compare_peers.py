"""What compare_peers.sh runs: a process an engine, each asked in turn to look at the same input, and a table of what they took.

Timed is a whole frame: from pixels of the net's size to boxes, scores, classes and masks as the net gives them (28x28). ENGINE-bf16 is an
engine that multiplies bfloat16 where it can, ENGINE-fp16 float16 on a GPU, where plain means float32 without TF32. Ready is the time from the engine's own files to the first result; memory is the process's peak.
"""
import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np

NEEDS = {"caffe2rt": ["caffe2rt._runtime"], "pytorch": ["torch", "torchvision"], "torchcompile": ["torch", "torchvision"],
         "onnxruntime": ["onnxruntime", "onnx"], "openvino": ["openvino", "onnx"]}
# What is compared where none is named.
EVERY = {"cpu": ["caffe2rt", "pytorch", "onnxruntime", "openvino", "caffe2rt-bf16", "pytorch-bf16", "openvino-bf16"],
         "cuda": ["caffe2rt", "pytorch", "torchcompile", "onnxruntime", "caffe2rt-fp16", "pytorch-fp16", "torchcompile-fp16"]}
BOX, SCORE = 0.1, 1e-3  # how far our results may be from PyTorch's: pixels, probability
_REST = 0.3  # seconds between turns, so that one engine's threads no longer spin when the next one runs


def missing(engine):
    """Modules that an engine lacks."""
    lacking = []
    for module in NEEDS[engine.split("-")[0]]:
        try:
            importlib.import_module(module)
        except ImportError:
            lacking.append(module)
    return lacking


def build(name, size, folder=None):
    """torchvision's network for inputs of that size; with the weights in `folder`, else with seeded ones whose scores vary."""
    import torch
    from torchvision.models import detection
    from torchvision.models.detection import transform
    transform.paste_masks_in_image = lambda masks, boxes, size, **_: masks  # masks as the net gives them
    model = getattr(detection, name)(weights=None, weights_backbone=None, min_size=min(size), max_size=max(size)).eval()
    if folder:
        model.load_state_dict(torch.load(folder / "weights.pth"))
        return model
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
    from random_torchvision import spread_out
    return spread_out(model)


def export_onnx(name, size, folder):
    import torch
    model, image = build(name, size, folder), torch.from_numpy(np.load(folder / "image.npy")) / 255
    with torch.no_grad():
        names = list(model([image])[0])
        (folder / "outputs").write_text(" ".join(names))
        torch.onnx.export(model, ([image],), str(folder / "net.onnx"), opset_version=17, input_names=["image"], output_names=names, dynamo=False)


def convert_caffe2(name, folder):
    from caffe2rt.convert.main import main as convert
    with contextlib.redirect_stdout(io.StringIO()):
        status = convert(["--torchvision", name, "--weights", str(folder / "weights.pth"), "--output", str(folder / "model")])
    if status:
        raise RuntimeError("the network could not be converted")


def prepare_caffe2rt(name, size, folder, threads, device, precision):
    from caffe2rt import Caffe2Model
    model = Caffe2Model.load_protobuf(folder / "model", threads=threads, device=device, precision=precision)
    data, first = np.load(folder / "image.npy"), 0 if "retinanet" in name else 1
    if "retinanet" in name:  # its boxes are decoded behind the net

        def run():
            found = model([{"image": data}])[0]["instances"]
            return {"boxes": found.pred_boxes.tensor, "scores": found.scores, "labels": found.pred_classes + first}
        return run, ""
    feeds = {"data": data[None].astype(np.float32), "im_info": np.array([[*size, 1]], np.float32)}

    def run():
        found = model.run(feeds)
        return {"boxes": found["bbox_nms"], "scores": found["score_nms"], "labels": found["class_nms"].astype(int) + first}
    return run, ""


def prepare_pytorch(name, size, folder, threads, device, precision):
    import torch
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model, image = build(name, size, folder).to(device, memory_format=torch.channels_last), torch.from_numpy(np.load(folder / "image.npy")) / 255
    low = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]

    def run():
        with torch.inference_mode(), torch.autocast(device.split(":")[0], low, enabled=precision != "fp32"):
            return {k: v.float().cpu().numpy() for k, v in model([image.to(device)])[0].items()}
    return run, torch.__version__


def prepare_torchcompile(name, size, folder, threads, device, precision):
    import torch
    compiled = torch.compile(prepare_pytorch(name, size, folder, threads, device, precision)[0])
    for _ in range(3):  # until it compiles no more
        compiled()
    return compiled, torch.__version__


def prepare_onnxruntime(name, size, folder, threads, device, precision):
    if precision != "fp32":
        raise RuntimeError("has no %s for this network" % precision)
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise RuntimeError("was built without %s" % provider)
    providers = [provider] if device == "cpu" else [(provider, {"use_tf32": "0"})]
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), options, providers=providers)
    names, feeds = (folder / "outputs").read_text().split(), {session.get_inputs()[0].name: np.load(folder / "image.npy") / np.float32(255)}
    return lambda: dict(zip(names, session.run(None, feeds))), onnxruntime.__version__


def prepare_openvino(name, size, folder, threads, device, precision):
    if device != "cpu":
        raise RuntimeError("does not know this device")
    import openvino
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(core.read_model(str(folder / "net.onnx")), "CPU", settings).create_infer_request()
    image = np.load(folder / "image.npy") / np.float32(255)
    names = (folder / "outputs").read_text().split()
    return lambda: dict(zip(names, request.infer([image]).values())), openvino.__version__.split("-")[0]


def prepare(engine, *arguments):
    """A function that looks at the input and gives what it finds by name, and the engine's version."""
    kind, _, precision = engine.partition("-")
    return globals()["prepare_" + kind](*arguments, precision or "fp32")


def peak_memory():
    """Megabytes that this process had at most. getrusage would count what its parent had too."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def work(prepare, engine, arguments, pipe):
    """One engine's process: prepares, says its version or what went wrong, then runs whenever it is told to."""
    warnings.filterwarnings("ignore")
    try:
        for module in NEEDS[engine.split("-")[0]]:
            importlib.import_module(module)
        start = time.perf_counter()
        run, version = prepare(engine, *arguments)
        found = run()
        ready = time.perf_counter() - start
        found = {k: np.array(v) for k, v in found.items() if k not in ("masks", "keypoints")}
    except Exception as e:  # a peer's failure is a line of the table
        pipe.send((None, "%s: %s" % (type(e).__name__, str(e).splitlines()[0] if str(e) else "")))
        return
    pipe.send((found, version))
    while pipe.recv():
        start = time.perf_counter()
        run()
        pipe.send(1e3 * (time.perf_counter() - start))
    pipe.send((ready, peak_memory()))


def difference(found, expected):
    """How far detections are from the nearest of the same class among those expected: pixels, probability; infinite for other numbers."""
    if len(found["scores"]) != len(expected["scores"]):
        return float("inf"), float("inf")
    far_box = far_score = 0.0
    for box, score, label in zip(found["boxes"], found["scores"], found["labels"]):
        distance = np.abs(expected["boxes"] - box).max(1) + np.where(expected["labels"] == label, 0, np.inf)
        nearest = distance.argmin()
        far_box, far_score = max(far_box, float(distance[nearest])), max(far_score, float(abs(expected["scores"][nearest] - score)))
    return far_box, far_score


def start(prepare, engines, arguments):
    """{engine: (pipe, results, version)} of those that work."""
    context, working = multiprocessing.get_context("spawn"), {}
    for engine in engines:
        ours, its = context.Pipe()
        context.Process(target=work, args=(prepare, engine, arguments, its), daemon=True).start()
        its.close()
        try:
            found, version = ours.recv()
        except EOFError:
            found, version = None, "its process ended"
        if found is None:
            print("%s: %s" % (engine, version), file=sys.stderr)
        else:
            working[engine] = ours, found, version
    return working


def take_turns(working, rounds):
    """{engine: milliseconds of each round}, {engine: (seconds until ready, peak megabytes)}"""
    spent, costs = {engine: [] for engine in working}, {}
    for _ in range(rounds):
        for engine, (pipe, _, _) in working.items():
            time.sleep(_REST)
            pipe.send(True)
            spent[engine].append(pipe.recv())
    for engine, (pipe, _, _) in working.items():
        pipe.send(False)
        costs[engine] = pipe.recv()
    return spent, costs


def table(working, spent, costs):
    """Markdown; and whether our results are PyTorch's."""
    expected, agrees = working["pytorch"][1] if "pytorch" in working else None, True
    medians = {engine: statistics.median(times) for engine, times in spent.items()}
    lines = ["| engine | median ms | least ms | time over ours | ready, s | memory, MB | detections | boxes differ by | scores differ by |",
             "|---|---|---|---|---|---|---|---|---|"]
    for engine, (_, found, version) in working.items():
        ours = "caffe2rt" + engine[len(engine.split("-")[0]):]
        ratio = "%.2f" % (medians[engine] / medians[ours]) if ours in medians else ""
        row = [("%s %s" % (engine, version)).strip(), "%.1f" % medians[engine], "%.1f" % min(spent[engine]), ratio,
               "%.1f" % costs[engine][0], "%.0f" % costs[engine][1], "%d" % len(found["scores"])]
        if expected is not None:
            box, score = difference(found, expected)
            row += ["%.2g px" % box, "%.2g" % score]
            agrees = agrees and (engine != "caffe2rt" or (box <= BOX and score <= SCORE))
        lines.append("| " + " | ".join(row + [""] * (9 - len(row))) + " |")
    return "\n".join(lines), agrees


def processor(device="cpu"):
    if device != "cpu":
        import torch
        return torch.cuda.get_device_name(device)
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "an unknown processor"


def main():
    p = argparse.ArgumentParser(prog="compare_peers.sh", description="Times a network of torchvision's in several engines, in turn.")
    p.add_argument("engines", nargs="*", metavar="ENGINE", help="%s; each also with -bf16, and on a GPU with -fp16" % ", ".join(NEEDS))
    p.add_argument("--net", default="maskrcnn_resnet50_fpn", help="torchvision's name; default: %(default)s")
    p.add_argument("--size", nargs=2, type=int, default=(800, 1344), metavar=("HEIGHT", "WIDTH"), help="of the input, multiples of 32; default: 800 1344")
    p.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    p.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    args = p.parse_args()
    kind = args.device.split(":")[0]
    if kind not in EVERY:
        p.error("--device: expected cpu, cuda or cuda:N, got '%s'" % args.device)
    unknown = set(args.engines) - {engine + low for engine in NEEDS for low in ("", "-bf16", "-fp16")}
    if unknown or any(side <= 0 or side % 32 for side in args.size) or args.threads < 1 or args.rounds < 1:
        p.error("unknown engine %s" % ", ".join(sorted(unknown)) if unknown else "expected sides that are multiples of 32, and counts of at least 1")
    engines = []
    for engine in args.engines or EVERY[kind]:
        lacking = missing(engine)
        if lacking:
            print("%s: not installed (%s)" % (engine, ", ".join(lacking)), file=sys.stderr)
        else:
            engines.append(engine)
    if missing("pytorch"):
        p.error("torch and torchvision build the network: expected both")
    import torch
    warnings.filterwarnings("ignore")
    if kind == "cuda" and not torch.cuda.is_available():
        p.error("--device %s: torch finds no GPU" % args.device)
    with tempfile.TemporaryDirectory() as name:
        folder, size = pathlib.Path(name), tuple(args.size)
        torch.save(build(args.net, size).state_dict(), folder / "weights.pth")
        np.save(folder / "image.npy", np.random.RandomState(0).randint(0, 256, (3, *size), np.uint8))
        kinds = {engine.split("-")[0] for engine in engines}
        if kinds & {"onnxruntime", "openvino"}:
            export_onnx(args.net, size, folder)
        if "caffe2rt" in kinds:
            convert_caffe2(args.net, folder)
        working = start(prepare, engines, (args.net, size, folder, args.threads, args.device))
        spent, costs = take_turns(working, args.rounds)
    text, agrees = table(working, spent, costs)
    print("%s at %dx%d, %d threads, %d rounds, %s\n\n%s" % (args.net, *size, args.threads, args.rounds, processor(args.device), text))
    if not agrees:
        print("caffe2rt and pytorch do not find the same", file=sys.stderr)
    return 0 if agrees and working else 1


if __name__ == "__main__":
    sys.exit(main())
