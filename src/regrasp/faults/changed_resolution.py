"""A station whose camera gives pictures of another size."""

from dataclasses import replace

import numpy as np

from regrasp.diagnosis.preflight import LiveView


def changed_resolution(
    live: LiveView, *, camera: str | None = None, height: float = 0.75, width: float = 1.0
) -> LiveView:
    """The same with a camera (the first) whose pictures are so many times as high and as wide."""
    name = camera or next(iter(live.images))
    picture = live.images[name]
    rows, columns = (
        np.arange(round(share * size)) * size // round(share * size)
        for share, size in zip((height, width), picture.shape[:2], strict=True)
    )
    return replace(live, images={**live.images, name: picture[rows][:, columns]})
