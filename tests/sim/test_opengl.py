"""Headless OpenGL, and one sentence where there is none."""

import importlib
import os
import subprocess
import sys

import mujoco
import pytest

from regrasp.errors import MissingExtra
from regrasp.sim import opengl
from regrasp.sim.environment import Twin, TwinConfig

SENTENCE = (
    "Found no working OpenGL (MUJOCO_GL is {platform}: {reason}); the twin's cameras need one that draws "
    "without a display; try `apt-get install libegl1 libgl1`, or MUJOCO_GL=osmesa after "
    "`apt-get install libosmesa6`."
)


def test_without_a_choice_and_a_display_egl_draws(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    opengl.choose_platform(chosen := {})
    assert chosen == {"MUJOCO_GL": "egl"}


def test_a_choice_of_the_user_stays():
    opengl.choose_platform(chosen := {"MUJOCO_GL": "osmesa"})
    assert chosen == {"MUJOCO_GL": "osmesa"}


def test_where_a_display_is_open_mujoco_chooses():
    opengl.choose_platform(chosen := {"DISPLAY": ":0"})
    assert chosen == {"DISPLAY": ":0"}


def test_missing_libraries_are_named_with_the_packages_that_bring_them(monkeypatch):
    def fail(name):
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString'")

    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(MissingExtra) as caught:
        opengl.load_mujoco()
    reason = "'NoneType' object has no attribute 'eglQueryString'"
    assert str(caught.value) == SENTENCE.format(platform="egl", reason=reason)


def test_a_renderer_that_cannot_open_says_the_same(monkeypatch):
    def fail(*size):
        raise mujoco.FatalError("Cannot initialize a EGL device display")

    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setattr(mujoco, "Renderer", fail)
    with pytest.raises(MissingExtra) as caught:
        Twin(TwinConfig()).render("front")
    reason = "Cannot initialize a EGL device display"
    assert str(caught.value) == SENTENCE.format(platform="egl", reason=reason)


def test_an_unknown_platform_ends_in_a_sentence_and_not_in_a_traceback_of_mujoco():
    code = (
        "from regrasp.errors import RegraspError\n"
        "try:\n    import regrasp.sim.environment\n"
        "except RegraspError as error:\n    print(error, error.exit_code)\n"
    )
    environment = os.environ | {"MUJOCO_GL": "steam"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.stdout.startswith("Found no working OpenGL (MUJOCO_GL is steam: ")
    assert result.stdout.endswith("`apt-get install libosmesa6`. 2\n")


def test_a_missing_mujoco_names_the_extra(monkeypatch):
    def fail(name):
        raise ModuleNotFoundError("No module named 'mujoco'", name="mujoco")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(MissingExtra) as caught:
        opengl.load_mujoco()
    assert str(caught.value) == (
        "Found no `mujoco` in this environment; the twin needs it; try `pip install 'regrasp[sim]'`."
    )


def test_no_context_is_left_open_when_python_ends():
    code = (
        "from regrasp.sim.environment import Twin, TwinConfig\n"
        "twins = [Twin(TwinConfig()), Twin(TwinConfig())]\n"
        "print([twin.render('front').shape for twin in twins])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[(96, 96, 3), (96, 96, 3)]\n", "")
