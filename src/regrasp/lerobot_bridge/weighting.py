"""Draws frames of a mixed dataset by the weights of its parts.

LeRobot 0.6.1 shows each frame once in an epoch, so that 50 new episodes drown in 241 old ones.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from regrasp.lerobot_bridge.resuming import ResumableSampler


class WeightedSampler(ResumableSampler):
    """LeRobot's sampler, drawing each frame in proportion to the weight of its episode.

    An epoch has as many samples as LeRobot's. In each, a frame is drawn as often as it is expected to, rounded up or
    down: 0 or 1 times where 0.4 are expected, and 0.4 on average. The order is a function of seed and epoch alone.

    Args:
        starts: First row of each episode.
        ends: The row after its last.
        *arguments: LeRobot's.
        episode_weights: One number above 0 for each episode; where all are the same, LeRobot's own order is kept.
        **options: LeRobot's.
    """

    def __init__(
        self,
        starts: Sequence[int],
        ends: Sequence[int],
        *arguments: Any,
        episode_weights: Sequence[float],
        **options: Any,
    ) -> None:
        super().__init__(list(starts), list(ends), *arguments, **options)
        episodes = np.searchsorted(np.asarray(starts), self._starts, side="right") - 1
        lengths = np.diff(self._cum_lengths, prepend=0)
        self._weights = np.repeat(np.asarray(episode_weights, dtype=np.float64)[episodes], lengths)

    def _iter_epoch(self, epoch: int, start: int) -> Iterator[int]:
        if not self.shuffle or np.all(self._weights == self._weights[0]):
            yield from super()._iter_epoch(epoch, start)
            return
        if self.on_begin is not None:
            self.on_begin(epoch, start)
        order = self._drawn(epoch)
        for place in range(start, len(order)):
            yield self._frame_index(int(order[place]))

    def _drawn(self, epoch: int) -> torch.Tensor:
        """Frames of one epoch in their order: systematic sampling along a row of all frames, shuffled.

        Frames of the same weight stand together in the row, so that their share of each epoch is exact to a sample.
        """
        generator = self._epoch_generator(epoch)
        row = torch.randperm(self._num_frames, generator=generator)
        weights = torch.from_numpy(self._weights)
        row = row[weights[row].argsort(stable=True)]
        expected = weights[row]
        ends = expected.cumsum(0) * (self._num_frames / expected.sum())
        ends[-1] = self._num_frames
        marks = (ends + torch.rand((), generator=generator, dtype=torch.float64)).floor().long()
        drawn = torch.repeat_interleave(row, marks.diff(prepend=torch.zeros(1, dtype=torch.long)))
        return drawn[torch.randperm(self._num_frames, generator=generator)]
