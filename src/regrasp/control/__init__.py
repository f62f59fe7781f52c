"""The loop that drives an arm, real or simulated, and all that stands between a policy and the motors."""

from regrasp.control.gate import SafetyGate
from regrasp.control.loop import Clock, Decision, EpisodeEnd, Policy, Robot, Tick, Watcher, run_episode

__all__ = [
    "Clock",
    "Decision",
    "EpisodeEnd",
    "Policy",
    "Robot",
    "SafetyGate",
    "Tick",
    "Watcher",
    "run_episode",
]
