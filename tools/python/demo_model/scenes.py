"""Scenes of moving objects with what is to be seen in them, pixel by pixel: what the demonstration model learns from and is judged by.

A scene is fixed by its seed. Pictures are BGR uint8 (H,W,3); coordinates are pixels, origin the top left corner of the top left pixel.
"""
import dataclasses

import cv2
import numpy as np

from .solids import SOLIDS

CLASSES = list(SOLIDS)


@dataclasses.dataclass
class Visible:
    """One object of a picture: its class, which pixels show it, (H,W) bool, and its number, the same in all pictures of a scene."""
    class_id: int
    mask: np.ndarray
    number: int

    @property
    def box(self):
        """x1, y1, x2, y2 around the mask; the far edges are outside."""
        ys, xs = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)


def _colour(rng, low=20, high=235):
    return rng.uniform(low, high, 3).astype(np.float32)


class _Pattern:
    """A pattern on a surface: plain, stripes, checks, dots or a mottle of two colours."""

    def __init__(self, rng):
        self.kind = rng.integers(5)
        self.colours = _colour(rng), _colour(rng)
        self.frequency = rng.uniform(2.0, 7.0)
        self.angle = rng.uniform(0, np.pi)
        self.phase = rng.uniform(0, 6, 2)

    def __call__(self, texture):
        if self.kind == 0:
            return np.broadcast_to(self.colours[0], texture.shape[:2] + (3,))
        s = texture[..., 0] * np.cos(self.angle) + texture[..., 1] * np.sin(self.angle)
        t = texture[..., 1] * np.cos(self.angle) - texture[..., 0] * np.sin(self.angle)
        a, b = np.sin(s * self.frequency + self.phase[0]), np.sin(t * self.frequency + self.phase[1])
        mix = {1: a * 6, 2: a * b * 12, 3: (a + b - 0.9) * 6, 4: np.sin(s * self.frequency + 2 * b) * 1.2}[self.kind]
        mix = np.clip(mix * 0.5 + 0.5, 0, 1)[..., None]
        return self.colours[0] * mix + self.colours[1] * (1 - mix)


class _Object:
    """One object: what it is, what it looks like, and where it is at a time."""

    def __init__(self, rng, width, height, radius, others):
        self.class_id = int(rng.integers(len(CLASSES)))
        self.radius = rng.uniform(*radius) if rng.random() < 0.5 else np.exp(rng.uniform(*np.log(radius)))
        self.centre = rng.uniform([0, 0], [width, height])
        for _ in range(10):  # mostly beside the others
            if all(np.hypot(*(self.centre - o.centre)) > 0.75 * (self.radius + o.radius) for o in others):
                break
            self.centre = rng.uniform([0, 0], [width, height])
        self.velocity = rng.uniform(-1.8, 1.8, 2) * [1.5, 0.7]
        self.pose, self.spin = rng.random(3), rng.uniform(-1, 1, 3) * 0.006
        self.pattern = _Pattern(rng)
        self.shine = rng.uniform(0, 90)
        self.shadow = rng.uniform(0, 0.5)
        self.size = np.array([width, height], float)

    def at(self, time):
        """Centre and pose at a frame: it bounces off the picture's edges, and its pose swings to and fro between 0 and 1."""
        def bounce(x, size):
            x = np.mod(x, 2 * size)
            return np.where(x > size, 2 * size - x, x)
        return bounce(self.centre + self.velocity * time, self.size), bounce(self.pose + self.spin * time, 1.0)


class Scene:
    """Objects before a background, at any time."""

    def __init__(self, seed, width=640, height=360, objects=(2, 8), radius=(22, 95)):
        rng = np.random.default_rng(seed)
        self.width, self.height, self.seed = width, height, seed
        light = rng.normal(size=3) * [1, 0.6, 0.3] + [0, -0.6, 0.8]
        self.light = (light / np.linalg.norm(light)).astype(np.float32)
        self.ambient = rng.uniform(0.3, 0.65)
        self.background = _background(rng, width, height)
        self.objects = []
        for _ in range(rng.integers(objects[0], objects[1] + 1)):
            self.objects.append(_Object(rng, width, height, radius, self.objects))
        self.objects.sort(key=lambda o: o.radius)  # the near ones are large
        self.tint, self.exposure = rng.uniform(0.85, 1.1, 3).astype(np.float32), rng.uniform(0.75, 1.15)
        self.blur, self.noise = max(0, rng.uniform(-0.7, 1.1)), max(0, rng.uniform(-3, 9))
        self.quality = int(rng.integers(40, 101))

    def render(self, time=0.0):
        """(picture, [Visible]) at a time in frames. An object of which less than 80 pixels or a fifth show is not listed."""
        rng = np.random.default_rng([self.seed, int(time * 1000)])
        picture = self.background.copy()
        owner, full = np.full((self.height, self.width), -1, np.int16), []
        for i, o in enumerate(self.objects):
            full.append(self._draw(picture, owner, i, o, *o.at(time)))
        visible = []
        for i, o in enumerate(self.objects):
            mask = owner == i
            if mask.sum() >= max(80, 0.2 * full[i]):
                visible.append(Visible(o.class_id, mask, i))
        return self._photograph(picture, rng), visible

    def _draw(self, picture, owner, index, o, centre, pose):
        """Draws one object over what is there. Returns how many pixels it would cover alone in a picture without edges."""
        reach = o.radius * 1.08 + 2
        x1, y1 = np.maximum(np.floor(centre - reach).astype(int), 0)
        x2, y2 = np.minimum(np.ceil(centre + reach).astype(int), [self.width, self.height])
        if x1 >= x2 or y1 >= y2:
            return 0
        u = ((np.arange(x1, x2, dtype=np.float32) + 0.5 - centre[0]) / o.radius)[None].repeat(y2 - y1, 0)
        v = ((np.arange(y1, y2, dtype=np.float32) + 0.5 - centre[1]) / o.radius)[:, None].repeat(x2 - x1, 1)
        distance, normal, texture = SOLIDS[CLASSES[o.class_id]](u, v, pose)
        lit = np.maximum(normal @ self.light, 0)
        gloss = np.maximum(2 * lit * normal[..., 2] - self.light[2], 0) ** 12 * o.shine
        colour = o.pattern(texture) * (self.ambient + (1.1 - self.ambient) * lit)[..., None] + gloss[..., None]
        alpha = np.clip(0.5 - distance * o.radius, 0, 1)
        self._shade(picture, o, centre)
        patch = picture[y1:y2, x1:x2]
        patch += (colour - patch) * alpha[..., None]
        owner[y1:y2, x1:x2][alpha >= 0.5] = index
        whole = (x2 - x1) * (y2 - y1) / (2 * reach) ** 2
        return (alpha >= 0.5).sum() / max(whole, 0.05)

    def _shade(self, picture, o, centre):
        """The object's soft shadow, away from the light."""
        if o.shadow < 0.1:
            return
        at = centre - self.light[:2] * o.radius * 0.5
        reach = o.radius * 1.5
        x1, y1 = np.maximum(np.floor(at - reach).astype(int), 0)
        x2, y2 = np.minimum(np.ceil(at + reach).astype(int), [self.width, self.height])
        if x1 >= x2 or y1 >= y2:
            return
        u = (np.arange(x1, x2) + 0.5 - at[0]) / o.radius
        v = (np.arange(y1, y2) + 0.5 - at[1]) / o.radius
        far = np.clip(1.5 - np.hypot(u[None], v[:, None]), 0, 1).astype(np.float32)
        picture[y1:y2, x1:x2] *= 1 - o.shadow * far[..., None]

    def _photograph(self, picture, rng):
        """What a camera makes of it: exposure, tint, blur, noise, and a codec's losses."""
        picture = picture * (self.tint * self.exposure).astype(np.float32)
        if self.blur > 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur)
        if self.noise:
            picture += rng.standard_normal(picture.shape, np.float32) * np.float32(self.noise)
        picture = np.clip(picture, 0, 255).astype(np.uint8)
        if self.quality < 90:
            picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1], cv2.IMREAD_COLOR)
        return picture


def _background(rng, width, height):
    """(H,W,3) float32: a mottled gradient; on most of them tiles, planks or a clutter of flat figures that are no objects."""
    corners = np.stack([_colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    corners += (corners.mean(2, keepdims=True) - corners) * np.float32(rng.uniform(0.2, 1))  # the world is less gaudy than its things
    picture = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    for cells in (3, 12, 48):
        mottle = rng.normal(size=(cells * height // width + 2, cells + 1, 3)).astype(np.float32)
        picture += cv2.resize(mottle, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0, 24 / np.sqrt(cells / 3))
    kind = rng.integers(4)
    if kind == 1:  # tiles or planks, in perspective
        size = rng.uniform(20, 90, 2) * [1, rng.choice([1, 4])]
        angle = rng.uniform(0, np.pi)
        ys, xs = np.mgrid[:height, :width].astype(np.float32)
        depth = 1 + rng.uniform(-0.5, 0.5) * (ys / height - 0.5)
        s = (xs * np.cos(angle) + ys * np.sin(angle)) / depth / size[0]
        t = (ys * np.cos(angle) - xs * np.sin(angle)) / depth / size[1]
        if rng.random() < 0.5:
            picture += ((np.floor(s) + np.floor(t)) % 2 * rng.uniform(-60, 60))[..., None]
        else:
            picture[(s % 1 < 0.06) | (t % 1 < 0.06)] *= rng.uniform(0.5, 0.9)
    elif kind >= 2:  # a clutter
        for _ in range(rng.integers(3, 25)):
            colour = _colour(rng).tolist()
            points = rng.uniform([-40, -40], [width + 40, height + 40], (1, 2)) + rng.normal(size=(rng.integers(4, 8), 2)) * rng.uniform(8, 90)
            if rng.random() < 0.6:
                cv2.fillPoly(picture, [points.astype(np.int32)], colour, cv2.LINE_AA)
            else:
                cv2.polylines(picture, [points.astype(np.int32)], False, colour, int(rng.integers(1, 7)), cv2.LINE_AA)
    return np.clip(picture, 0, 255).astype(np.float32)
