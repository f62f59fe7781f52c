"""Real-time chunking (Black et al. 2025): a new chunk is grown from what is left of the present one, by LeRobot's own.

A policy that denoises its chunks (SmolVLA, pi0 and their like) is led towards the actions that are still to be sent
while it makes the next ones, so that the chunks agree where they overlap. LeRobot's `RTCProcessor` inside the policy
does that; here is what it needs: the present chunk as the policy gave it, from the action on that is due when the next
one takes over.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.policies.rtc import RTCConfig
from numpy.typing import NDArray

from regrasp.control.seams import Horizon
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.policies import LoadedPolicy


class RealTimeChunks(LoadedPolicy):
    """A checkpoint whose chunks grow out of each other; driven like any other, alone or by `control.seams.Ahead`.

    Attributes:
        horizon: How its chunks are used. With a delay it must be asked for a whole chunk each time (`n_action_steps`
            1), as `Ahead` does.
    """

    def __init__(self, path: str | Path, *, task: str = "", n_action_steps: int | None = None) -> None:
        """Load the policy. Unless told, half of a chunk is sent: the other half is what the next one is led by.

        Raises:
            CheckpointError: The checkpoint cannot be loaded.
            UsageError: Its policy cannot do this.
        """
        from lerobot.rollout.inference.rtc import (
            supports_rtc_inference,
        )  # its package takes a second to import

        super().__init__(path, task=task, n_action_steps=n_action_steps)
        if not supports_rtc_inference(self._policy):
            raise UsageError(
                f"--rtc is for policies that LeRobot can lead from chunk to chunk (smolvla, pi0, pi05); "
                f"{self.checkpoint.path} is of type {self.checkpoint.policy_type}. Leave --rtc out: the hand-over takes "
                "the jump out of its seams."
            )
        if n_action_steps is None:
            self.n_action_steps = min(self.n_action_steps, max(self.chunk_size // 2, 1))
        self.use(Horizon(self.chunk_size, self.n_action_steps, 0))

    def use(self, horizon: Horizon) -> None:
        """Set how chunks are used from the next episode on."""
        self.horizon = horizon
        self.n_action_steps = 1 if horizon.delay else horizon.execute
        overlap = max(horizon.chunk - horizon.execute, 1)
        self._policy.config.rtc_config = RTCConfig(execution_horizon=overlap)
        self._policy.init_rtc_processor()

    def reset(self) -> None:
        """Forget the episode before."""
        super().reset()
        self._raw: torch.Tensor | None = None
        self._made = 0

    def _next_chunk(self, batch: ObservationBatch) -> NDArray[np.float64]:
        """A chunk that agrees with what is left of the one before, shape [chunk_size, J]."""
        left = self._left_over()
        torch.manual_seed(self._made)
        prepared = self._prepared(batch)
        raw: Any = self._policy.predict_action_chunk(
            prepared, inference_delay=self.horizon.delay, prev_chunk_left_over=left
        )
        self._raw, self._made = raw[0].clone(), self._made + 1
        with torch.no_grad():
            return self._after(raw)[0].double().cpu().numpy()

    def _left_over(self) -> torch.Tensor | None:
        """The actions of the present chunk from the one on that is sent while the next is being made, [n, J].

        The first chunk is begun with its first action; later ones begin `delay` actions in, and are asked about
        `delay` ticks before their last.
        """
        if self._raw is None:
            return None
        sent = self.horizon.execute - (self.horizon.delay if self._made == 1 else 0)
        left = self._raw[sent:]
        return left if len(left) else None
