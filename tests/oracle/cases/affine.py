"""AffineChannel."""
import numpy as np


def cases(Case):
    def affine_channel(rng):
        n, c, h, w = rng.randint(1, 4, 4)
        x = rng.randn(n, c, h, w).astype(np.float32)
        return Case("AffineChannel", {"X": x, "scale": rng.randn(c).astype(np.float32), "bias": rng.randn(c).astype(np.float32)},
                    ["Y"], {"order": "NCHW"})

    return {"AffineChannel": affine_channel}
