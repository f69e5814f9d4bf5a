"""Trains the demonstration model on scenes that are drawn as they are needed, and never twice the same."""
import math
import pathlib

import cv2
import numpy as np
import torch
from caffe2rt.convert.config import load_config
from PIL import Image
from tqdm import tqdm

from .losses import losses
from .network import MaskRcnn
from .scenes import Scene

CONFIG = pathlib.Path(__file__).with_name("demo.yaml")
# Seeds of scenes to learn from begin here; those of scenes to be judged by lie below.
FIRST_TRAINING_SEED = 1_000_000
PICTURE_HEIGHT = 360


class TrainingScenes(torch.utils.data.Dataset):
    """Scene i as (image (3,S,S) uint8 BGR, truth): a square part of the world, shrunk as the network will see pictures of it."""

    def __init__(self, count, size, shrink, seed):
        self.count, self.size, self.shrink = count, size, shrink
        self.first = FIRST_TRAINING_SEED * (seed + 1)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        for attempt in range(10):
            picture, visible = Scene(self.first + index + attempt * self.count, self.size, self.size, objects=(2, 6)).render()
            if visible:
                break
        side = round(self.size * self.shrink)
        picture = np.asarray(Image.fromarray(picture).resize((side, side), Image.BILINEAR))
        masks = [cv2.resize(o.mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) >= 0.5 for o in visible]
        truth = {"boxes": torch.tensor([o.box for o in visible]) * self.shrink, "classes": torch.tensor([o.class_id for o in visible]),
                 "masks": torch.from_numpy(np.stack(masks))}
        return torch.from_numpy(picture.transpose(2, 0, 1).copy()), truth


def _average(model, copy, decay):
    with torch.no_grad():
        for a, b in zip(copy.state_dict().values(), model.state_dict().values()):
            a.lerp_(b, 1 - decay) if a.is_floating_point() else a.copy_(b)


def train(iterations, batch, size=320, seed=0, rate=2e-3, precision=torch.float32, workers=1, report=None, report_every=50):
    """The trained MaskRcnn, the mean of its late states. report(iteration, {loss: value}) is called every so many."""
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
    scenes = TrainingScenes(iterations * batch, size, cfg.INPUT.MIN_SIZE_TEST / PICTURE_HEIGHT, seed)
    loader = torch.utils.data.DataLoader(scenes, batch, num_workers=workers,
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
        if report and (i + 1) % report_every == 0:
            report(i + 1, {k: v.item() for k, v in parts.items()})
    return mean.eval()
