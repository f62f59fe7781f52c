"""The loop that drives an arm, real or simulated, and the gate between policy and motors."""

from regrasp.control.gate import SafetyGate
from regrasp.control.loop import Clock, Decision, EpisodeEnd, Policy, Robot, Tick, run_episode

__all__ = ["Clock", "Decision", "EpisodeEnd", "Policy", "Robot", "SafetyGate", "Tick", "run_episode"]
