"""A station whose machine is too slow for the policy."""

from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView


def late_inference(live: LiveView, *, inference_s: float = 0.5, n_action_steps: int | None = 1) -> LiveView:
    """The same on a robot that does not wait, with queries that take `inference_s`."""
    return replace(live, inference_s=inference_s, n_action_steps=n_action_steps, waits=False)
