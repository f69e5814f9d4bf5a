#!/usr/bin/env python3
"""Records what the original Caffe2 computes for small nets written the way other people's are.

    tests/oracle/wild.py --oracle CHROOT

Writes tests/data/wild/NAME.npz: `predict_net` and `init_net` (text as uint8), `in/data`, and every output as `out/BLOB`, which
the test WildNets reads. Weights are multiples of 1/32 from a fixed seed, so that the text stays small. The original gets
both nets as one, without what is not for it: the placeholder of the input, devices and engines.
"""
import argparse

import numpy as np

import compare
import net_text


class Net:
    """Collects operators and weights; each method adds a layer and returns its output's name."""

    def __init__(self, seed, cuda=False):
        self.rng = np.random.RandomState(seed)
        self.predict, self.init, self.weights = [], [], []
        self.extra = ' engine: "CUDNN" device_option { device_type: 1 cuda_gpu_id: 0 } }' if cuda else " }"

    def weight(self, name, shape, spread):
        values = np.round(self.rng.randn(*shape) * spread * 32) / 32
        self.init.append(net_text.operator("GivenTensorFill", [], [name],
                                           {"shape": list(shape), "values": [float(v) for v in values.ravel()]}))
        self.weights.append(name)
        return name

    def pixels(self, *shape):
        """Float32 in [-1, 1), in few steps, which compress."""
        return ((self.rng.randint(0, 32, shape) - 16) / 16).astype(np.float32)

    def add(self, type, inputs, output, **args):
        outputs = output if isinstance(output, list) else [output]
        self.predict.append(net_text.operator(type, inputs, outputs, args))
        return outputs[0]

    def conv(self, x, output, inputs, outputs, kernel, **args):
        spread = (2 / (inputs * kernel ** 2)) ** 0.5
        return self.add("Conv", [x, self.weight(output + "_w", (outputs, inputs, kernel, kernel), spread),
                                 self.weight(output + "_b", (outputs,), 0.5)], output, kernel=kernel, **args)

    def fc(self, x, output, inputs, outputs):
        return self.add("FC", [x, self.weight(output + "_w", (outputs, inputs), inputs ** -0.5),
                               self.weight(output + "_b", (outputs,), 0.5)], output)

    def relu(self, x):
        return self.add("Relu", [x], x)  # in place

    def record(self, name, oracle, data, output, placeholder=False, named=True, says_outputs=True):
        whole = net_text.net(self.init + self.predict, ["data"], [output])
        results = compare.ask_original(oracle, {"000/net": np.frombuffer(whole.encode(), np.uint8), "000/in/data": data})
        init = list(self.init)
        if placeholder:
            init.append(net_text.operator("ConstantFill", [], ["data"], {"shape": list(data.shape), "value": 0.0}))
        predict = [op[:-2] + self.extra for op in self.predict]
        texts = {"init_net": net_text.net(init, [], self.weights, name="init" if named else ""),
                 "predict_net": net_text.net(predict, ["data"] + self.weights, [output] if says_outputs else [],
                                             name=name if named else "")}
        arrays = {key: np.frombuffer(text.encode(), np.uint8) for key, text in texts.items()}
        arrays.update({"in/data": data, "out/" + output: results["000/out/" + output]})
        folder = compare.HERE.parent / "data" / "wild"
        folder.mkdir(exist_ok=True)
        np.savez_compressed(folder / (name + ".npz"), **arrays)


def lenet(oracle):
    """The tutorial's net: one number for both axes, `order` everywhere."""
    net = Net(1)
    x = net.conv("data", "conv1", 1, 5, 5, order="NCHW")
    x = net.add("MaxPool", [x], "pool1", kernel=2, stride=2, order="NCHW")
    x = net.conv(x, "conv2", 5, 8, 5, order="NCHW")
    x = net.add("MaxPool", [x], "pool2", kernel=2, stride=2, order="NCHW")
    x = net.relu(net.fc(x, "fc3", 8 * 4 * 4, 24))
    net.add("Softmax", [net.fc(x, "pred", 24, 10)], "softmax")
    net.record("lenet", oracle, net.pixels(3, 1, 28, 28), "softmax")


def cifar(oracle):
    """As Caffe's translator leaves it: Caffe's pooling, LRN, outdated arguments, a placeholder for the input, no names."""
    net = Net(2, cuda=True)
    x = net.conv("data", "conv1", 3, 8, 5, pad=2, stride=1, legacy_pad=0, cudnn_exhaustive_search=0)
    x = net.relu(net.add("MaxPool", [x], "pool1", kernel=3, stride=2, pad=0, legacy_pad=3, cudnn_exhaustive_search=0))
    x = net.add("LRN", [x], ["norm1", "norm1_scale"], size=3, alpha=0.05, beta=0.75, bias=1.0, order="NCHW")
    x = net.relu(net.conv(x, "conv2", 8, 8, 5, pad_t=2, pad_l=2, pad_b=2, pad_r=2))
    x = net.add("AveragePool", [x], "pool2", kernel=3, stride=2, legacy_pad=3)
    x = net.add("AveragePool", [net.relu(net.conv(x, "conv3", 8, 8, 3, legacy_pad=2))], "pool3", kernel=3, stride=2, legacy_pad=3)
    net.add("Softmax", [net.fc(x, "ip1", 8 * 4 * 4, 10)], "prob")
    net.record("cifar", oracle, net.pixels(2, 3, 32, 32), "prob", placeholder=True, named=False,
               says_outputs=False)


def squeezenet(oracle):
    """Fire modules, dropout in place, and a global mean in place of fully connected layers."""
    net = Net(3, cuda=True)

    def fire(x, name, inputs, squeeze, expand):
        s = net.relu(net.conv(x, name + "/squeeze1x1", inputs, squeeze, 1, stride=1, pad=0))
        e1 = net.relu(net.conv(s, name + "/expand1x1", squeeze, expand, 1, stride=1, pad=0))
        e3 = net.relu(net.conv(s, name + "/expand3x3", squeeze, expand, 3, stride=1, pad=1))
        return net.add("Concat", [e1, e3], [name + "/concat", "_" + name + "/concat_dims"], order="NCHW")

    x = net.relu(net.conv("data", "conv1", 3, 10, 3, stride=2, pad=0))
    x = net.add("MaxPool", [x], "pool1", kernel=3, stride=2, pad=0, legacy_pad=3)
    x = fire(fire(x, "fire2", 10, 4, 8), "fire3", 16, 4, 8)
    x = net.add("MaxPool", [x], "pool3", kernel=3, stride=2, pad=0, legacy_pad=3)
    x = fire(x, "fire4", 16, 6, 10)
    x = net.add("Dropout", [x], [x, "_" + x + "_mask"], ratio=0.5, is_test=1)
    x = net.relu(net.conv(x, "conv10", 20, 16, 1, stride=1, pad=0))
    x = net.add("AveragePool", [x], "pool10", global_pooling=1)
    net.add("Softmax", [x], "softmaxout")
    net.record("squeezenet", oracle, net.pixels(2, 3, 43, 51), "softmaxout")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oracle", required=True, help="folder of the Debian 11 tree")
    oracle = p.parse_args().oracle
    for record in (lenet, cifar, squeezenet):
        record(oracle)


if __name__ == "__main__":
    main()
