"""Headless OpenGL: which platform MuJoCo draws with, and what to say when there is none.

MuJoCo reads `MUJOCO_GL` once, while it is imported, and does not fall back: without a display it must be
`egl` (or `osmesa`) beforehand. So this runs before anything else in `regrasp.sim`.
"""

import importlib
import os
import sys
from collections.abc import MutableMapping

from regrasp.errors import MissingExtra

REMEDY = "try `apt-get install libegl1 libgl1`, or MUJOCO_GL=osmesa after `apt-get install libosmesa6`"
"""A bare Debian 12 draws after either (checked in a minimal chroot); `libegl1` alone is not enough."""


def load_mujoco() -> None:
    """Import MuJoCo with an OpenGL platform that needs no display.

    Raises:
        MissingExtra: MuJoCo is not installed, or not the OpenGL libraries that it needs.
    """
    choose_platform(os.environ)
    try:
        importlib.import_module("mujoco")
    except ModuleNotFoundError as error:
        if error.name != "mujoco":
            raise
        raise MissingExtra(
            "Found no `mujoco` in this environment; the twin needs it; try `pip install 'regrasp[sim]'`."
        ) from error
    except (AttributeError, ImportError, RuntimeError) as error:
        # PyOpenGL without its library raises AttributeError ('NoneType' object has no attribute ...).
        raise no_opengl(error) from error


def choose_platform(environment: MutableMapping[str, str]) -> None:
    """Set `MUJOCO_GL` to `egl` where nobody chose and no display is open (Linux only).

    Example:
        >>> choose_platform(chosen := {"MUJOCO_GL": "osmesa"})
        >>> chosen
        {'MUJOCO_GL': 'osmesa'}
    """
    headless = not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    if sys.platform == "linux" and headless:
        environment.setdefault("MUJOCO_GL", "egl")


def no_opengl(cause: BaseException) -> MissingExtra:
    """The one sentence for a machine that cannot draw."""
    platform = os.environ.get("MUJOCO_GL", "unset")
    reason = " ".join(str(cause).split())[:120] or type(cause).__name__
    return MissingExtra(
        f"Found no working OpenGL (MUJOCO_GL is {platform}: {reason}); "
        f"the twin's cameras need one that draws without a display; {REMEDY}."
    )
