"""What compare_int8.sh runs: 8 bit integers here and in OpenVINO, on the part of Mask R-CNN that they are for: body, FPN and RPN head.

Both calibrate on the image that is then timed. OpenVINO's network is quantised by ONNX Runtime, with a scale for each filter as here.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np

import compare_peers as peers

NET, SIZE = "maskrcnn_resnet50_fpn", (800, 1344)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's, of RGB from 0 to 1


def normalised(image):
    return (image / np.float32(255) - np.reshape(MEAN, (3, 1, 1)).astype(np.float32)) / np.reshape(STD, (3, 1, 1)).astype(np.float32)


def export_int8(folder):
    import torch
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Body(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.backbone, self.head = model.backbone, model.rpn.head

        def forward(self, x):
            logits, deltas = self.head(list(self.backbone(x).values()))
            return tuple(logits + deltas)

    class Image(CalibrationDataReader):
        images = iter([{"x": normalised(np.load(folder / "image.npy"))[None]}])

        def get_next(self):
            return next(self.images, None)

    files = [str(folder / name) for name in ("float.onnx", "shaped.onnx", "int8.onnx")]
    with torch.no_grad():
        torch.onnx.export(Body(peers.build(NET, SIZE, folder)).eval(), (torch.zeros(1, 3, *SIZE),), files[0], opset_version=17,
                          input_names=["x"], output_names=outputs(), dynamo=False)
    quant_pre_process(*files[:2])
    quantize_static(*files[1:], Image(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def outputs():
    return ["rpn%d.%s" % (level, kind) for kind in ("logits", "deltas") for level in range(5)]


def convert_int8(folder, calibrate):
    """The net up to the RPN's results, and the calibration of its blobs."""
    from caffe2rt import caffe2_pb2
    from PIL import Image
    peers.convert_caffe2(NET, folder)
    Image.fromarray(np.load(folder / "image.npy").transpose(1, 2, 0)).save(folder / "image.png")
    subprocess.run([calibrate, "--model", folder / "model", "--input", folder / "image.png"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    net = caffe2_pb2.NetDef.FromString((folder / "model" / "model.pb").read_bytes())
    del net.external_output[:]
    net.external_output.extend(outputs())
    wanted, ops = set(outputs()), []
    for op in reversed(net.op):
        if wanted & set(op.output):
            wanted |= set(op.input)
            ops.append(op)
    for argument in [a for a in net.arg if a.name == "meta_architecture"]:  # there are no detections to decode
        net.arg.remove(argument)
    del net.op[:]
    net.op.extend(reversed(ops))
    (folder / "model" / "model.pb").write_bytes(net.SerializeToString())
    weights = caffe2_pb2.NetDef.FromString((folder / "model" / "model_init.pb").read_bytes())
    kept = [op for op in weights.op if wanted & set(op.output)]
    del weights.op[:]
    weights.op.extend(kept)
    (folder / "model" / "model_init.pb").write_bytes(weights.SerializeToString())


def prepare(engine, folder, threads):
    image = np.load(folder / "image.npy")
    if engine == "caffe2rt":
        from caffe2rt import Caffe2Model
        model = Caffe2Model.load_protobuf(folder / "model", threads=threads, precision="int8")
        feeds = {"data": image[None].astype(np.float32), "im_info": np.array([[*SIZE, 1]], np.float32)}
        return lambda: model.run(feeds), ""
    import openvino
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    core = openvino.Core()
    request = core.compile_model(core.read_model(str(folder / "int8.onnx")), "CPU", settings).create_infer_request()
    feed = normalised(image)[None]
    return lambda: dict(zip(outputs(), request.infer([feed]).values())), openvino.__version__.split("-")[0]


def main():
    p = argparse.ArgumentParser(prog="compare_int8.sh", description="Times 8 bit integers here and in OpenVINO, in turn.")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    p.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    p.add_argument("--calibrate", required=True, help=argparse.SUPPRESS)
    args = p.parse_args()
    import torch
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        torch.save(peers.build(NET, SIZE).state_dict(), folder / "weights.pth")
        np.save(folder / "image.npy", np.random.RandomState(0).randint(0, 256, (3, *SIZE), np.uint8))
        export_int8(folder)
        convert_int8(folder, args.calibrate)
        working = peers.start(prepare, ["caffe2rt", "openvino"], (folder, args.threads))
        spent, costs = peers.take_turns(working, args.rounds)
    print("Body, FPN and RPN head of %s at %dx%d, int8, %d threads, %d rounds, %s\n" % (NET, *SIZE, args.threads, args.rounds, peers.processor()))
    print("| engine | median ms | least ms | time over ours | ready, s | memory, MB |\n|---|---|---|---|---|---|")
    medians = {engine: float(np.median(times)) for engine, times in spent.items()}
    for engine, (_, _, version) in working.items():
        print("| %s | %.1f | %.1f | %.2f | %.1f | %.0f |" % (("%s %s" % (engine, version)).strip(), medians[engine], min(spent[engine]),
                                                     medians[engine] / medians.get("caffe2rt", float("nan")), *costs[engine]))
    return 0 if len(working) == 2 else 1


if __name__ == "__main__":
    sys.exit(main())
