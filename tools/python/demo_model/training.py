"""Trains the demonstration model on scenes that are drawn as they are needed, and never twice the same."""
import math
import pathlib

import numpy as np
import torch
from caffe2rt.convert.config import load_config
from tqdm import tqdm

from .losses import losses
from .network import MaskRcnn
from .scenes import Scene

CONFIG = pathlib.Path(__file__).with_name("demo.yaml")
# Seeds of scenes to learn from begin here; those of scenes to be judged by lie below.
FIRST_TRAINING_SEED = 1_000_000


class TrainingScenes(torch.utils.data.Dataset):
    """Scene i as (image (3,S,S), truth): a square part of the world, its objects as large as in whole pictures."""

    def __init__(self, count, size, seed):
        self.count, self.size, self.first = count, size, FIRST_TRAINING_SEED * (seed + 1)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        for attempt in range(10):
            picture, visible = Scene(self.first + index + attempt * self.count, self.size, self.size, objects=(2, 6)).render()
            if visible:
                break
        truth = {"boxes": torch.tensor([o.box for o in visible]), "classes": torch.tensor([o.class_id for o in visible]),
                 "masks": torch.from_numpy(np.stack([o.mask for o in visible]))}
        return torch.from_numpy(picture.transpose(2, 0, 1).copy()), truth


def _average(model, copy, decay):
    with torch.no_grad():
        for a, b in zip(copy.state_dict().values(), model.state_dict().values()):
            a.lerp_(b, 1 - decay) if a.is_floating_point() else a.copy_(b)


def train(iterations, batch, size=320, seed=0, rate=2e-3, precision=torch.float32, workers=1, report=None):
    """The trained MaskRcnn, the mean of its late states. report(iteration, {loss: value}) is called now and then."""
    torch.manual_seed(seed)
    cfg = load_config(CONFIG, [])
    model, mean = (MaskRcnn(cfg).to(memory_format=torch.channels_last) for _ in range(2))
    mean.load_state_dict(model.state_dict())
    generator = torch.Generator().manual_seed(seed)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0}], rate)
    warm_up = min(200, iterations // 10 + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min((i + 1) / warm_up, 0.5 * (1 + math.cos(math.pi * i / iterations)) + 0.005))
    loader = torch.utils.data.DataLoader(TrainingScenes(iterations * batch, size, seed), batch, num_workers=workers,
                                         collate_fn=lambda b: tuple(zip(*b)), prefetch_factor=4 if workers else None)
    model.train()
    for i, (images, truths) in enumerate(tqdm(loader, total=iterations, unit="batch")):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            parts = losses(model, torch.stack(images).float(), truths, generator)
        total = sum(parts.values())
        if not torch.isfinite(total):
            raise FloatingPointError("iteration %d: the loss is %s" % (i, {k: float(v) for k, v in parts.items()}))
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        _average(model, mean, min(0.998, (i + 1) / (i + 10)))
        if report and i % 50 == 49:
            report(i + 1, {k: float(v) for k, v in parts.items()})
    return mean.eval()
