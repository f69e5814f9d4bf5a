"""--import: parts of the user's own, captured by torch.export, agree with PyTorch."""
import pathlib
import sys

import numpy as np
import pytest

from helpers import ROOT, random_parameters, small_config

torch = pytest.importorskip("torch")
pytest.importorskip("torch.export", reason="torch.export is of PyTorch 2.1 and later")
pytest.importorskip("torchvision")
import torch.nn.functional as F  # noqa: E402

import custom_parts  # noqa: E402, F401
from caffe2rt import parts  # noqa: E402
from caffe2rt.convert import capture as capturing  # noqa: E402
from caffe2rt.convert.errors import ConvertError  # noqa: E402
from caffe2rt.convert.main import main  # noqa: E402
from caffe2rt.convert.model import Model, build_model  # noqa: E402
from caffe2rt.convert.net_builder import Feature, NetBuilder  # noqa: E402
from caffe2rt.convert.write import write_model  # noqa: E402
from reference import Reference  # noqa: E402

runtime = pytest.importorskip("caffe2rt._runtime", reason="the extension is not built")


def parameters_of(part, prefix="part"):
    return {"%s.%s" % (prefix, k): v.numpy() for k, v in part.state_dict().items()}


def converted(part, folder, channels=3):
    """Runs the captured module: converted(part, folder)(array) gives its outputs in order."""
    import caffe2rt
    net = NetBuilder(parameters_of(part))
    found = capturing.capture(net, part, "part", [capturing.example_of(Feature("data", channels))], "part")
    found = list(found.values()) if isinstance(found, dict) else [found]
    net.check()
    net.constant("one", np.ones(1, np.float32))  # an init net is never empty
    write_model(folder, Model(net.ops, net.weights, [v.blob for v in found], {}, [], net.shapes), "net")
    model = caffe2rt.Caffe2Model.load_protobuf(folder)
    return lambda x: [np.array(model.run({"data": x, "im_info": np.array([[x.shape[2], x.shape[3], 1]], np.float32)})[v.blob]) for v in found]


class Wrap(torch.nn.Module):
    def __init__(self, function, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        return self.function(self, x)


def norm(module, channels=6):
    """A norm with parameters that are not the identity."""
    for name, parameter in list(module.named_parameters()) + list(module.named_buffers()):
        if parameter.is_floating_point():
            parameter.data.copy_(torch.rand_like(parameter) + 0.5)
    return module


def conv(*args, **kwargs):
    return torch.nn.Conv2d(*args, **kwargs)


CASES = {
    "add_with_alpha": lambda s, x: torch.add(x, x.relu(), alpha=2),
    "numbers": lambda s, x: (3 - x) / 2 + 1,
    "unary": lambda s, x: x.abs().add(1).sqrt().log().exp().tanh().sigmoid() - torch.sin(x) * torch.cos(x) + x.abs().add(1).rsqrt(),
    "silu_hardswish_hardsigmoid": lambda s, x: F.silu(x) + F.hardswish(x) * F.hardsigmoid(x),
    "clips": lambda s, x: F.relu6(x * 9) + x.clamp(-1, 0.5) + x.clamp_min(0.1) + F.hardtanh(x),
    "elu_leaky_relu": lambda s, x: F.elu(x, 0.7) + F.leaky_relu(x, 0.2),
    "gelu": lambda s, x: F.gelu(x),
    "pow_reciprocal": lambda s, x: x.pow(2) + (x.abs() + 1).reciprocal(),
    "softmax_over_channels": lambda s, x: F.softmax(x, 1),
    "max_pool": lambda s, x: F.max_pool2d(x, 3, 2, 1),
    "avg_pool": lambda s, x: F.avg_pool2d(x, 3, 2, 1) + F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "global_pool": lambda s, x: x * F.adaptive_avg_pool2d(x, 1),
    "nearest_by_scale": lambda s, x: F.interpolate(x, scale_factor=2.0),
    "bilinear_by_scale": lambda s, x: F.interpolate(x, scale_factor=2.0, mode="bilinear"),
    "bilinear_to_another": lambda s, x: x + F.interpolate(F.max_pool2d(x, 4), size=x.shape[-2:], mode="bilinear"),
    "nearest_to_another": lambda s, x: x + F.interpolate(F.max_pool2d(x, 2), size=x.shape[-2:]),
    "pads": lambda s, x: F.pad(x, (1, 2, 3, 4), value=0.5) + F.pad(x, (1, 2, 3, 4), mode="reflect") + F.pad(x, (1, 2, 3, 4), mode="replicate"),
    "split_and_cat": lambda s, x: torch.cat(torch.split(x, [1, 2], 1)[::-1], 1),
    "chunk_and_stack": lambda s, x: torch.stack(x.chunk(3, 1), 2).flatten(1, 2),
    "slices": lambda s, x: x[:, 1:, 2:, :] + x[:, :-1, 2:],
    "select": lambda s, x: x * x[:, 1].unsqueeze(1),
    "permute_and_back": lambda s, x: x.permute(0, 2, 3, 1).contiguous().transpose(1, 3).transpose(2, 3),
    "flatten_and_back": lambda s, x: x.flatten(2).reshape(x.shape),
    "reductions": lambda s, x: x.sum(1, keepdim=True) + x.amax((2, 3), keepdim=True) - x.amin(1, keepdim=True) + torch.linalg.vector_norm(x, 2, 1, True),
    "comparisons": lambda s, x: torch.where(x > 0.1, x, torch.where(x <= -0.2, x * 2, x + 1)),
    "argmax": lambda s, x: x.argmax(1, keepdim=True),
    "topk": lambda s, x: x.flatten(2).topk(3)[0],
    "repeat": lambda s, x: x.repeat(1, 2, 1, 1),
    "index_select": lambda s, x: torch.index_select(x, 1, torch.tensor([2, 0, 1])),
    "in_place": lambda s, x: (x * 2).relu_().add_(1),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operator_gives_what_pytorch_gives(tmp_path, name):
    check(tmp_path, Wrap(CASES[name]))


def check(folder, part, atol=1e-5):
    torch.manual_seed(0)
    part.eval()
    run = converted(part, folder)
    for size in ((16, 32), (64, 32)):
        x = torch.randn(2 if size[0] > 16 else 1, 3, *size)
        with torch.no_grad():
            expected = part(x)
        expected = list(expected.values()) if isinstance(expected, dict) else [expected]
        for got, wanted in zip(run(x.numpy()), expected):
            assert got.shape == tuple(wanted.shape)
            np.testing.assert_allclose(got, wanted.numpy(), atol=atol, rtol=1e-4)


MODULES = {
    "convolution": lambda: conv(3, 6, 3, 2, 1, bias=False),
    "groups_and_dilation": lambda: conv(3, 6, (3, 5), padding=(2, 4), dilation=2, groups=3),
    "transposed": lambda: torch.nn.ConvTranspose2d(3, 4, 3, 2, 1, output_padding=1),
    "batch_norm_folded": lambda: torch.nn.Sequential(conv(3, 6, 3), norm(torch.nn.BatchNorm2d(6)), torch.nn.ReLU(inplace=True)),
    "batch_norm_alone": lambda: torch.nn.Sequential(torch.nn.ReLU(), norm(torch.nn.BatchNorm2d(3))),
    "group_norm": lambda: torch.nn.Sequential(conv(3, 6, 1), norm(torch.nn.GroupNorm(2, 6))),
    "instance_norm": lambda: norm(torch.nn.InstanceNorm2d(3, affine=True)),
    "prelu": lambda: torch.nn.PReLU(3),
    "layer_norm": lambda: Wrap(lambda s, x: s.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), norm=norm(torch.nn.LayerNorm(3))),
    "linear": lambda: Wrap(lambda s, x: s.fc(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), fc=torch.nn.Linear(3, 5)),
    "attention": lambda: custom_parts.Attention(3),
    "buffer": lambda: custom_parts.Scaled(),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_gives_what_pytorch_gives(tmp_path, name):
    torch.manual_seed(1)
    check(tmp_path, MODULES[name]())


def test_one_convolution_under_several_norms(tmp_path):
    """As heads that share convolutions between levels, but not norms, have it."""
    def forward(self, x):
        return {"a": self.first(self.conv(x)), "b": self.second(self.conv(x)), "c": self.conv(x)}

    torch.manual_seed(2)
    check(tmp_path, Wrap(forward, conv=conv(3, 6, 3, bias=False), first=norm(torch.nn.BatchNorm2d(6)), second=norm(torch.nn.BatchNorm2d(6))))


class CustomReference(Reference):
    """The reference with the parts of custom_parts.py in place of detectron2's."""

    def load(self, part, prefix):
        part.load_state_dict({k[len(prefix) + 1:]: v for k, v in self.p.items() if k.startswith(prefix + ".")}, strict=False)
        return part.eval()

    def backbone(self, image):
        mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (self.cfg.MODEL.PIXEL_MEAN, self.cfg.MODEL.PIXEL_STD))
        return self.load(custom_parts.ShuffleBackbone(self.cfg, parts.ShapeSpec(3)), "backbone")((image - mean) / std)

    def rpn_hidden(self, x):
        return F.gelu(self.load(custom_parts.SeparableRpnHead(self.cfg, [parts.ShapeSpec(16)]), "proposal_generator.rpn_head").conv(x))

    def box_features(self, levels, boxes, module):
        head = self.load(custom_parts.MeanBoxHead(self.cfg, parts.ShapeSpec(16, 7, 7)), module)
        return head(self.pool(levels, boxes, 7))

    def masks(self, levels, boxes):
        head = self.load(custom_parts.BilinearMaskHead(self.cfg, parts.ShapeSpec(16, 14, 14)), "roi_heads.mask_head")
        return head.layers(self.pool(levels, boxes, 14)).sigmoid()


CUSTOM = dict(MODEL__BACKBONE__NAME="ShuffleBackbone", MODEL__RPN__HEAD_NAME="SeparableRpnHead", MODEL__ROI_BOX_HEAD__NAME="MeanBoxHead",
              MODEL__ROI_MASK_HEAD__NAME="BilinearMaskHead")


def test_a_model_of_custom_parts_agrees_with_pytorch(tmp_path):
    import caffe2rt
    cfg = small_config(**CUSTOM)
    parameters = random_parameters(cfg, 3)
    write_model(tmp_path, build_model(cfg, parameters), "net")
    image = np.random.RandomState(0).randint(0, 256, (3, 16, 24)).repeat(8, 1).repeat(8, 2).astype(np.float32)[:, :128, :192]
    out = caffe2rt.Caffe2Model.load_protobuf(tmp_path).run({"data": image[None], "im_info": np.array([[128, 192, 1]], np.float32)})
    with torch.no_grad():
        expected = CustomReference(cfg, parameters)(image)
    assert len(expected["score_nms"]) > 3
    mine, theirs = (np.argsort(-np.array(o["score_nms"]), kind="stable") for o in (out, expected))
    for name, tolerance in (("score_nms", 1e-5), ("bbox_nms", 1e-2), ("mask_fcn_probs", 1e-4)):
        np.testing.assert_allclose(np.array(out[name])[mine], expected[name][theirs], atol=tolerance)


def test_the_command_line_imports_parts(tmp_path, capsys):
    from helpers import ROOT
    cfg = small_config(**CUSTOM)
    torch.save({k: torch.from_numpy(v) for k, v in random_parameters(cfg).items()}, tmp_path / "model.pth")
    here = pathlib.Path(__file__).parent
    code = "import sys; sys.path.insert(0, %r); from caffe2rt.convert.main import main; sys.exit(main())" % str(ROOT / "tools" / "python")
    overrides = [x for k, v in CUSTOM.items() for x in (k.replace("__", "."), v)]
    import subprocess
    run = subprocess.run([sys.executable, "-c", code, "--config-file", here / "small_mask_rcnn_fpn.yaml", "--import", here / "custom_parts.py",
                          "--output", tmp_path / "out", "MODEL.WEIGHTS", str(tmp_path / "model.pth"), *overrides], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "model.pb").exists()
    assert "no caffe2rt.Interpolate" in run.stdout


def test_everything_without_an_operator_is_named_at_once(tmp_path):
    def forward(self, x):
        y = torch.cumsum(x, 1)
        return self.inner(torch.erf(y))

    with pytest.raises(ConvertError) as e:
        converted(Wrap(forward, inner=Wrap(lambda s, x: torch.fft.fft(x).real)), tmp_path)
    text = str(e.value)
    assert "aten.cumsum.default" in text and "aten.erf.default" in text and "aten.fft_fft" in text
    assert "module 'inner'" in text and "test_custom_parts.py:" in text


@pytest.mark.parametrize("forward, says", [
    (lambda s, x: torch.nn.functional.softplus(x, beta=2.0), "with beta or threshold"),
    (lambda s, x: x * x.shape[2], "a size that is open, as a number"),
    (lambda s, x: torch.clamp(x, min=x.mean()), "bounds that are computed"),
])
def test_what_an_operator_does_not_say_is_refused(tmp_path, forward, says):
    with pytest.raises(ConvertError, match=says):
        converted(Wrap(forward), tmp_path)


def test_a_size_that_is_fixed_is_refused(tmp_path):
    with pytest.raises(ConvertError, match="fixes dimension 2 of its input to 768"):
        converted(Wrap(lambda s, x: x + s.table.weight[:768], table=torch.nn.Embedding(1000, 1)), tmp_path)


@pytest.mark.parametrize("registry, changes, message", [
    ("ROI_BOX_HEAD", dict(MODEL__ROI_BOX_HEAD__NAME="NoSuchHead"), "expected one of .*MeanBoxHead.*FastRCNNConvFCHead.*--import, got NoSuchHead"),
    ("BACKBONE", dict(MODEL__BACKBONE__NAME="BrokenBackbone"), "BrokenBackbone.*ZeroDivisionError"),
    ("MASK", dict(MODEL__ROI_MASK_HEAD__NAME="WrongMaskHead"), r"expected logits \(R,3,M,M\), got"),
])
def test_a_part_that_does_not_fit_says_so(registry, changes, message):
    with pytest.raises(ConvertError, match=message):
        build_model(small_config(**changes), {})


def test_a_file_that_fails_is_named_with_its_line(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("x = 1\nraise ValueError('what')\n")
    assert main(["--import", str(tmp_path / "bad.py"), "--config-file", "x.yaml"]) == 1
    assert "bad.py:2: ValueError: what" in capsys.readouterr().err
    assert main(["--import", str(tmp_path / "none.py")]) == 1
    assert "expected a Python file" in capsys.readouterr().err


def test_a_name_is_taken_once():
    registry = parts.Registry("X")
    def part():
        pass
    registry.register(part)
    with pytest.raises(ConvertError, match="a part 'part' already"):
        registry.register(type("part", (), {}))


class Built(torch.nn.Module):
    """A model as detectron2 builds it: parts at their places, and parameters by detectron2's names."""

    def __init__(self, cfg, parameters):
        super().__init__()
        self.backbone = custom_parts.ShuffleBackbone(cfg, parts.ShapeSpec(3))
        self.parameters_ = parameters

    def state_dict(self):
        return {k: torch.from_numpy(v) for k, v in self.parameters_.items()}


def test_a_model_that_is_built_is_exported(tmp_path):
    from caffe2rt.export import Caffe2Tracer, add_export_config
    cfg = small_config(MODEL__BACKBONE__NAME="ShuffleBackbone")
    parameters = random_parameters(cfg, 3)
    named = small_config(MODEL__BACKBONE__NAME="a name that only their registry knows")
    del named["EXPORT_CAFFE2"]
    named["SOME_PROJECT"] = {"KEY": 1}
    model = Caffe2Tracer(add_export_config(named), Built(cfg, parameters), [{"image": None}]).export_caffe2()
    assert named.EXPORT_CAFFE2.USE_HEATMAP_MAX_KEYPOINT is False
    model.save_protobuf(tmp_path / "tracer")
    write_model(tmp_path / "converter", build_model(cfg, parameters), "GeneralizedRCNN")
    for file in ("model.pb", "model_init.pb"):
        assert (tmp_path / "tracer" / file).read_bytes() == (tmp_path / "converter" / file).read_bytes()


def test_parts_have_keys_of_their_own(tmp_path):
    from caffe2rt.convert.config import load_config
    file = pathlib.Path(__file__).parent / "small_mask_rcnn_fpn.yaml"
    cfg = load_config(file, ["MODEL.SHUFFLE.STEM", "4", "MODEL.BACKBONE.NAME", "ShuffleBackbone"], [custom_parts.add_config])
    assert random_parameters(cfg)["backbone.stem.0.weight"].shape[0] == 4
    with pytest.raises(ConvertError, match="unknown configuration keys: MODEL.SHUFFLE.STEM"):
        load_config(file, ["MODEL.SHUFFLE.STEM", "4"])
