"""What a policy answers about frames of demonstrations: of those it was trained on, and of others.

An answer's error is how far the actions that would be carried out lie from those that were demonstrated: mean over
actions and joints, each joint in its own spread over the demonstrations. Beside it stands what a look-up answers,
which knows no picture: what was demonstrated, in another episode, from the joint state most like this one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.diagnosis.observations import ObservationBatch, ProbedPolicy, with_all_cameras

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

type Array = NDArray[np.float64]

MOST_EPISODES = 40
"""Episodes that are asked about of each kind, evenly spread: the interval of the mean narrows with their root."""

LOOKS = (0.08, 0.31, 0.54, 0.77)
"""Places within an episode that are asked about, as shares of its length."""

SMALLEST_SPREAD = 0.5
"""Degrees, gripper in hundredths: joints of the demonstrations count as spread at least this far."""


@dataclass(frozen=True, eq=False)
class Questions:
    """Frames of demonstrations with what was demonstrated from there on; made once, put to any policy.

    `episodes` [n] numbers the episode of each, `shown` [n, steps, J] are its actions (the last one held where the
    episode ends), `looked_up` [n] the error of the look-up, `spread` [J] the joints' deviations.
    """

    batch: ObservationBatch
    episodes: NDArray[np.int64]
    shown: Array
    looked_up: Array
    spread: Array

    def put_to(self, policy: ProbedPolicy) -> "Answers":
        """The policy's errors; not finite answers count as infinitely far off."""
        chunks = policy.chunks(self.batch)[:, : self.shown.shape[1]]
        shown = self.shown[:, : chunks.shape[1]]
        errors = np.nanmean(np.abs(chunks - shown) / self.spread, axis=(1, 2))
        return Answers(self.episodes, np.where(np.isfinite(errors), errors, np.inf), self.looked_up)


@dataclass(frozen=True, eq=False)
class Answers:
    """Errors [n] of the questions of some episodes [n], in spreads, beside those of the look-up."""

    of: NDArray[np.int64]
    errors: Array
    looked_up: Array

    @cached_property
    def by_episode(self) -> Mapping[int, float]:
        """Mean error of each episode."""
        return {int(one): float(self.errors[self.of == one].mean()) for one in np.unique(self.of)}

    def within(self, episodes: Collection[int]) -> "Answers":
        """Those about these episodes."""
        kept = np.isin(self.of, list(episodes))
        return Answers(self.of[kept], self.errors[kept], self.looked_up[kept])

    @property
    def error(self) -> float:
        """Mean over episodes; NaN without any."""
        return float(np.mean(list(self.by_episode.values()))) if len(self.of) else float("nan")

    @property
    def lookup_error(self) -> float:
        """The look-up's mean."""
        return float(self.looked_up.mean()) if len(self.of) else float("nan")


def questions(
    dataset: Dataset, contract: "Contract", episodes: Collection[int], *, among: Collection[int] | None = None
) -> Questions:
    """Questions about up to `MOST_EPISODES` of these episodes; the look-up looks in `among`, or in these."""
    whole = with_all_cameras(dataset, contract).episodes
    by_number = {episode.index: episode for episode in whole if np.isfinite(episode.states).all()}
    asked = _spread_over([by_number[one] for one in sorted(episodes) if one in by_number])
    places = [(episode, round(share * (episode.length - 1))) for episode in asked for share in LOOKS]
    known = [by_number[one] for one in sorted(among or episodes) if one in by_number]
    actions = np.concatenate([episode.actions for episode in known])
    spread = np.maximum(np.nanstd(actions, axis=0), SMALLEST_SPREAD)
    steps = contract.n_action_steps or contract.chunk_size or 1
    shown = np.stack([following(episode, frame, steps) for episode, frame in places])
    guesses = np.stack([_looked_up(known, episode, frame, steps) for episode, frame in places])
    return Questions(
        batch=_observations(dataset, contract, asked),
        episodes=np.array([episode.index for episode, _ in places]),
        shown=shown,
        looked_up=np.nanmean(np.abs(guesses - shown) / spread, axis=(1, 2)),
        spread=spread,
    )


def following(episode: Episode, frame: int, steps: int) -> Array:
    """Actions from a frame on, [steps, J]; the last one is held beyond the end."""
    places = np.minimum(np.arange(frame, frame + steps), episode.length - 1)
    return episode.actions[places]


def _looked_up(known: Sequence[Episode], asked: Episode, frame: int, steps: int) -> Array:
    """What was demonstrated from the nearest joint state of another episode."""
    others = [episode for episode in known if episode.index != asked.index]
    if not others:
        return np.full((steps, asked.actions.shape[1]), np.nan)
    apart = [((episode.states - asked.states[frame]) ** 2).sum(axis=1) for episode in others]
    nearest = int(np.argmin([one.min() for one in apart]))
    return following(others[nearest], int(np.argmin(apart[nearest])), steps)


def _observations(dataset: Dataset, contract: "Contract", episodes: Sequence[Episode]) -> ObservationBatch:
    """What was seen at `LOOKS` of each episode."""
    frames = {episode.index: [round(s * (episode.length - 1)) for s in LOOKS] for episode in episodes}
    images = {
        camera.key: np.concatenate(
            [episode.cameras[camera.name].frames(frames[episode.index]) for episode in episodes]
        )
        for camera in contract.cameras
        if all(camera.name in episode.cameras for episode in episodes)
    }
    places = [(episode, frame) for episode in episodes for frame in frames[episode.index]]
    return ObservationBatch(
        states=np.stack([episode.states[frame] for episode, frame in places]),
        images=images,
        tasks=[dataset.tasks[int(episode.task_indices[frame])] for episode, frame in places],
    )


def _spread_over(episodes: Sequence[Episode]) -> list[Episode]:
    """Up to `MOST_EPISODES` of them, evenly spread over their order."""
    count = min(len(episodes), MOST_EPISODES)
    return [
        episodes[place] for place in np.unique(np.linspace(0, len(episodes) - 1, count).round().astype(int))
    ]
