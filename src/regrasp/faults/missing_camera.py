"""A station that lacks a camera."""

from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView


def missing_camera(live: LiveView, *, camera: str | None = None) -> LiveView:
    """The same without one camera (the last)."""
    lost = camera or list(live.images)[-1]
    return replace(live, images={name: picture for name, picture in live.images.items() if name != lost})
