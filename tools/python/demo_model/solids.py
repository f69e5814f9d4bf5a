"""The six objects of the demonstration scenes, seen by parallel light and drawn by formula: no mesh, no photograph.

Each function takes u, v (H,W) float32, coordinates of pixel centres in units of the object's radius, origin in its centre, y down,
and a `pose` of three numbers in 0..1. It returns

    distance  (H,W), negative inside, in radii: exact near the outline, so that it can be antialiased
    normal    (H,W,3) unit, x right, y down, z towards the camera
    texture   (H,W,2) coordinates of a pattern that is fixed to the surface

Source of the star's distance: https://iquilezles.org/articles/distfunctions2d/ (formula); the rest is elementary geometry.
"""
import cv2
import numpy as np


def _stack(*planes):
    return np.stack(np.broadcast_arrays(*planes), -1).astype(np.float32)


def _dome(q):
    """Height of a unit circle over q: what a rounded surface's normal has towards the camera."""
    return np.sqrt(np.clip(1 - q * q, 0, 1))


def rotation(pose):
    """A rotation matrix from three numbers in 0..1: about z, then x, then y."""
    a, b, c = np.array(pose) * 2 * np.pi
    z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    return y @ x @ z


def ball(u, v, pose):
    r = np.hypot(u, v)
    normal = _stack(u, v, _dome(r))
    normal[..., :2] /= np.maximum(r, 1)[..., None]
    on_ball = normal @ rotation(pose).astype(np.float32)
    return r - 1, normal, np.arcsin(np.clip(on_ball[..., :2], -1, 1))


def crate(u, v, pose):
    """A cube seen from a corner: three faces, each at least 15 degrees open to the camera."""
    turn, tilt, roll = np.radians(20 + 50 * pose[0]), np.radians(20 + 35 * pose[1]), (pose[2] - 0.5) * 0.8
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    axes = (about_z @ about_x @ about_y).T * 0.58  # rows: half edges, in the picture's coordinates
    axes *= np.where(axes[:, 2:] < 0, -1, 1)
    corners = (np.array(list(np.ndindex(2, 2, 2))) * 2 - 1) @ axes
    hull = cv2.convexHull(corners[:, :2].astype(np.float32))[:, 0]
    distance = np.full(u.shape, -9, np.float32)
    for p, q in zip(hull, np.roll(hull, -1, 0)):
        edge = (q - p) / np.hypot(*(q - p))
        distance = np.maximum(distance, (u - p[0]) * edge[1] - (v - p[1]) * edge[0])
    normal, texture = np.zeros(u.shape + (3,), np.float32), np.zeros(u.shape + (2,), np.float32)
    best = np.full(u.shape, np.inf, np.float32)
    for k in range(3):
        a, b, n = axes[(k + 1) % 3], axes[(k + 2) % 3], axes[k]
        inverse = np.linalg.inv(np.array([a[:2], b[:2]]).T)
        x, y = u - n[0], v - n[1]
        s, t = inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y
        outside = np.maximum(np.abs(s), np.abs(t))
        here = outside < best
        best = np.where(here, outside, best)
        normal[here] = n / np.linalg.norm(n)
        texture[here] = np.stack([s[here], t[here]], -1)
    return distance, normal, texture


def _upright(u, v, pose):
    """Leaned by up to 35 degrees to either side."""
    lean = (pose[2] - 0.5) * 1.2
    return np.cos(lean) * u + np.sin(lean) * v, np.cos(lean) * v - np.sin(lean) * u, lean


def _lean_back(normal, lean):
    x, y = normal[..., 0].copy(), normal[..., 1].copy()
    normal[..., 0], normal[..., 1] = np.cos(lean) * x - np.sin(lean) * y, np.sin(lean) * x + np.cos(lean) * y
    return normal


def can(u, v, pose):
    """A cylinder, its lid turned towards the camera."""
    x, y, lean = _upright(u, v, pose)
    radius, tilt = 0.5 + 0.12 * pose[0], np.radians(12 + 25 * pose[1])
    half, minor = 0.72 * np.cos(tilt), radius * np.sin(tilt)
    q = np.clip(x / radius, -1, 1)
    curve = minor * _dome(q)
    distance = np.maximum(np.abs(x) - radius, (np.abs(y) - half - curve) * 0.9)
    lid = (x / radius) ** 2 + ((y + half) / minor) ** 2 < 1
    side = _stack(q, -np.sin(tilt) * _dome(q), np.cos(tilt) * _dome(q))
    normal = np.where(lid[..., None], np.array([0, -np.cos(tilt), np.sin(tilt)], np.float32), side)
    texture = np.where(lid[..., None], _stack(x / radius * 0.3, (y + half) / minor * 0.3), _stack(np.arcsin(q), y - curve))
    return distance, _lean_back(normal, lean), texture


def cone(u, v, pose):
    """A cone standing on its base, seen slightly from above."""
    x, y, lean = _upright(u, v, pose)
    base, minor = 0.55 + 0.15 * pose[0], 0.10 + 0.12 * pose[1]
    top, bottom = -0.95, 0.70
    slope = np.hypot(base, bottom - top)
    flank = ((np.abs(x) * (bottom - top)) - base * (y - top)) / slope
    below = (y - bottom - minor * _dome(np.clip(x / base, -1, 1))) * 0.9
    distance = np.maximum(np.maximum(flank, below), np.abs(x) - base)
    width = np.maximum(base * (y - top) / (bottom - top), 1e-3)
    q = np.clip(x / width, -1, 1)
    normal = _stack(q * 0.93, np.full_like(q, -0.36), _dome(q) * 0.93)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return distance, _lean_back(normal, lean), _stack(np.arcsin(q), y * 1.2)


def ring(u, v, pose):
    """A ring (a torus) seen at a slant: its hole belongs to what is behind it."""
    turn, squash, tube = pose[2] * np.pi, 0.6 + 0.4 * pose[1], 0.22 + 0.08 * pose[0]
    x, y = np.cos(turn) * u + np.sin(turn) * v, (np.cos(turn) * v - np.sin(turn) * u) / squash
    r = np.maximum(np.hypot(x, y), 1e-4)
    gradient = np.hypot(x, y / squash) / r
    distance = (np.abs(r - (1 - tube)) - tube) / gradient
    q = np.clip((r - (1 - tube)) / tube, -1, 1)
    nx, ny = x / r * q, y / r * q
    normal = _stack(np.cos(turn) * nx - np.sin(turn) * ny, np.sin(turn) * nx + np.cos(turn) * ny, _dome(q))
    return distance, normal, _stack(np.arctan2(y, x), np.arcsin(q) * tube * 2)


def star(u, v, pose):
    """A five-pointed star with bevelled faces."""
    turn, inner = pose[2] * 2 * np.pi, 0.45 + 0.1 * pose[0]
    x, y = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    r, sector = np.hypot(x, y), np.pi / 5
    angle = np.mod(np.arctan2(x, -y), 2 * sector)
    left = angle > sector
    folded = np.where(left, 2 * sector - angle, angle)  # 0 at a point, `sector` at a notch
    px, py = r * np.sin(folded), r * np.cos(folded)
    notch = np.array([np.sin(sector), np.cos(sector)]) * inner
    edge = np.array([notch[0], notch[1] - 1])
    edge /= np.hypot(*edge)
    distance = -(px * edge[1] - (py - 1) * edge[0])
    # Outwards from the centre line of a face, back in the picture's coordinates.
    face = np.arctan2(-edge[1], edge[0])
    middle = np.arctan2(x, -y) - np.where(left, -folded, folded)
    direction = middle + np.where(left, -face, face)
    nx, ny = np.sin(direction) * 0.6, -np.cos(direction) * 0.6
    normal = _stack(np.cos(turn) * nx - np.sin(turn) * ny, np.sin(turn) * nx + np.cos(turn) * ny, np.full_like(nx, 0.8))
    return distance, normal, _stack(x, y)


SOLIDS = {"ball": ball, "crate": crate, "can": can, "cone": cone, "ring": ring, "star": star}
