"""The twin: a simulated SO-101 with its cameras, tasks and expert. The only room that imports MuJoCo."""

from regrasp.sim.opengl import load_mujoco

load_mujoco()
