"""A station whose camera exchanges red and blue."""

from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView


def exchanged_colours(live: LiveView, *, camera: str | None = None) -> LiveView:
    """The same with red and blue exchanged in one camera (the first)."""
    name = camera or next(iter(live.images))
    return replace(live, images={**live.images, name: live.images[name][..., ::-1].copy()})
