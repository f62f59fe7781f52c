"""How any LeRobot policy is asked for a chunk, those that look at several moments included."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lerobot.policies.utils import populate_queues
from lerobot.utils.constants import ACTION, OBS_IMAGES


def moments(config: Any) -> int:
    """Observations in a row that a policy looks at: 2 for diffusion, 5 for VQ-BeT, 1 for most."""
    return int(getattr(config, "n_obs_steps", 1) or 1)


def chunk_length(config: Any) -> int:
    """Actions that come out of one query; of diffusion's horizon only those that are carried out."""
    for name in ("chunk_size", "action_chunk_size", "n_action_steps"):
        if getattr(config, name, None):
            return int(getattr(config, name))
    return 1


def carried_out(config: Any) -> int:
    """Actions of a chunk that are carried out before the next query."""
    return int(getattr(config, "n_action_steps", None) or chunk_length(config))


@torch.no_grad()
def ask(policy: Any, observations: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    """The chunk after these observations, the last one being the present, [n, chunk, J].

    They are as LeRobot's preprocessor leaves them. Where fewer are given than the policy looks at, the first stands
    for those before it, as in the beginning of an episode. What the policy remembered is forgotten.
    """
    queues = getattr(policy, "_queues", None)
    if queues is None:
        return policy.predict_action_chunk(dict(observations[-1]))
    policy.reset()
    asked = [_stacked(policy, one) for one in observations]
    if moments(policy.config) > 1:
        for one in asked:
            policy._queues = populate_queues(policy._queues, one)
    return policy.predict_action_chunk(asked[-1])


def _stacked(policy: Any, observation: Mapping[str, Any]) -> dict[str, Any]:
    """All cameras also under one key, where the policy queues them so.

    The action is left out: LeRobot's preprocessor adds it as None, and VQ-BeT would read it from its queue.
    """
    batch = {key: value for key, value in observation.items() if key != ACTION}
    if OBS_IMAGES in policy._queues and policy.config.image_features:
        batch[OBS_IMAGES] = torch.stack([batch[key] for key in policy.config.image_features], dim=-4)
    return batch
