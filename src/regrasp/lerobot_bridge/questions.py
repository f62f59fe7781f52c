"""What a policy in training answers about frames of demonstrations: of episodes it learned from, and of others.

It is asked through its own processors, as in deployment, and its answers are held against what was demonstrated.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.data.journal import Answers, Evaluation
from regrasp.data.measures import gripper_index, gripper_threshold
from regrasp.lerobot_bridge import asking

MOST_ROUNDS = 6
"""In each round every episode is asked at two neighbouring chunks, and once before its gripper moves."""

SHARE = 0.05
"""Of the time since the last checkpoint that asking may take; at least one round is asked."""

SHORTEST_S = 1.0
"""Time that asking may always take."""

BATCH = 16
"""Observations that are put through the policy at once."""

KEPT_BYTES = 300_000_000
"""Pictures up to this size are decoded once and kept."""

SHIFT = 0.02
"""Share of a picture's width by which trained frames are moved, one pixel at least: the task is the same, and the picture
is one that was not learned."""

WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Right, down, left, up: one question after the other."""

Ask = Callable[[dict[str, Any]], NDArray[np.float64]]
"""Observations as LeRobot's datasets hold them (float pictures [n, 3, h, w]), answered by chunks [n, chunk, J]."""


@dataclass(frozen=True)
class _Question:
    """One observation: a frame of an episode. `pair` numbers two neighbouring chunks; `event` is one of the gripper."""

    episode: int
    frame: int
    pair: int | None = None
    event: bool = False


@dataclass
class Examiner:
    """Asks a policy the same questions after each epoch.

    Args:
        data: All episodes, with their videos.
        held_out: Numbers of those that the policy does not learn from.
        camera_keys: Keys of the cameras that the policy looks at, as the dataset calls them.
        execute: Actions that would be carried out of each chunk.
        rounds: How many rounds to ask; chosen by time when it is None.
    """

    data: Dataset
    held_out: Sequence[int]
    camera_keys: Sequence[str]
    execute: int
    rounds: int | None = None
    _pictures: dict[tuple[int, int], dict[str, NDArray[np.uint8]]] = field(default_factory=dict[Any, Any])
    _kept: int = 0

    def __post_init__(self) -> None:
        self._threshold = gripper_threshold(self.data)
        self._gripper = gripper_index(self.data.joint_names)
        by_number = {episode.index: episode for episode in self.data.episodes}
        self._held_out = [by_number[number] for number in self.held_out]
        self._trained = _spread(
            [e for e in self.data.episodes if e.index not in set(self.held_out)], len(self._held_out)
        )

    def examine(self, ask: Ask, *, step: int, epoch: float, since_s: float) -> Evaluation:
        """Ask about held-out and trained episodes; `since_s` is the time since the last checkpoint."""
        began = time.perf_counter()
        held = self._ask_rounds(ask, self._held_out, max(SHORTEST_S, SHARE * since_s) / 3)
        seen = self._ask_rounds(ask, self._trained)
        moved = self._ask_rounds(ask, self._trained, shifted=True) if self.camera_keys else None
        return Evaluation(
            step=step,
            epoch=epoch,
            held_out=held,
            training=seen,
            shifted=moved,
            seconds=time.perf_counter() - began,
        )

    def _ask_rounds(
        self, ask: Ask, episodes: Sequence[Episode], budget_s: float = float("inf"), *, shifted: bool = False
    ) -> Answers:
        """Rounds until their number, or the time, is used up; the first time tells the number for all others."""
        began = time.perf_counter()
        asked: list[_Question] = []
        chunks: list[NDArray[np.float64]] = []
        done = 0
        while done < (self.rounds or MOST_ROUNDS):
            questions = [one for episode in episodes for one in self._round(episode, done)]
            chunks.append(self._chunks(ask, questions, shifted))
            asked += questions
            done += 1
            spent = time.perf_counter() - began
            if self.rounds is None and spent * (done + 1) / done > budget_s:
                break
        self.rounds = self.rounds or done
        return self._compare(asked, np.concatenate(chunks))

    def _round(self, episode: Episode, number: int) -> list[_Question]:
        """Questions of one round; the place in the episode moves on by the golden ratio, so that rounds fill gaps."""
        last = max(0, episode.length - 1 - self.execute)
        place = round(last * ((0.31 + 0.618034 * number) % 1.0))
        asked = [_Question(episode.index, place, pair=number)]
        if place + self.execute < episode.length:
            asked.append(_Question(episode.index, place + self.execute, pair=number))
        events = self._events(episode)
        if number < len(events):
            asked.append(
                _Question(episode.index, max(0, int(events[number]) - self.execute // 2), event=True)
            )
        return asked

    def _events(self, episode: Episode) -> NDArray[np.int64]:
        """Frames at which the commanded gripper opens or closes."""
        if self._threshold is None or self._gripper is None:
            return np.zeros(0, np.int64)
        closed = episode.actions[:, self._gripper] < self._threshold
        return np.flatnonzero(np.diff(closed.astype(np.int8))) + 1

    def _chunks(self, ask: Ask, questions: Sequence[_Question], shifted: bool) -> NDArray[np.float64]:
        """The policy's answers, cut to the actions that would be carried out, [n, execute, J]."""
        parts: list[NDArray[np.float64]] = []
        for start in range(0, len(questions), BATCH):
            asked = self._observations(questions[start : start + BATCH], shifted)
            parts.append(ask(asked)[:, : self.execute])
        return np.concatenate(parts)

    def _observations(self, questions: Sequence[_Question], shifted: bool) -> dict[str, Any]:
        by_number = {episode.index: episode for episode in (*self._held_out, *self._trained)}
        episodes = [by_number[one.episode] for one in questions]
        states = np.stack([e.states[q.frame] for e, q in zip(episodes, questions, strict=True)])
        batch: dict[str, Any] = {"observation.state": torch.from_numpy(states.astype(np.float32))}
        seen = [self._look(e, q.frame) for e, q in zip(episodes, questions, strict=True)]
        if shifted:
            ways = [WAYS[place % len(WAYS)] for place in range(len(seen))]
            seen = [
                {key: _moved(picture, way) for key, picture in pictures.items()}
                for pictures, way in zip(seen, ways, strict=True)
            ]
        for key in self.camera_keys:
            stacked = torch.from_numpy(np.stack([pictures[key] for pictures in seen]))
            batch[key] = stacked.permute(0, 3, 1, 2).float() / 255.0
        tasks = [
            self.data.tasks[int(e.task_indices[q.frame])] for e, q in zip(episodes, questions, strict=True)
        ]
        return {**batch, "task": tasks}

    def _look(self, episode: Episode, frame: int) -> dict[str, NDArray[np.uint8]]:
        """Pictures of one frame by camera key; kept while they are small together."""
        place = (episode.index, frame)
        if place in self._pictures:
            return self._pictures[place]
        by_key = {camera.key: camera for camera in episode.cameras.values()}
        pictures = {key: by_key[key].frames([frame])[0] for key in self.camera_keys}
        size = sum(picture.nbytes for picture in pictures.values())
        if self._kept + size < KEPT_BYTES:
            self._kept += size
            self._pictures[place] = pictures
        return pictures

    def _compare(self, questions: Sequence[_Question], chunks: NDArray[np.float64]) -> Answers:
        """Answers against demonstrations."""
        by_number = {episode.index: episode for episode in (*self._held_out, *self._trained)}
        errors: dict[int, list[float]] = {}
        wrong: list[float] = []
        for question, chunk in zip(questions, chunks, strict=True):
            shown = by_number[question.episode].actions[question.frame : question.frame + len(chunk)]
            if question.event:
                wrong.append(self._wrong_side(chunk[: len(shown)], shown))
            else:
                error = float(np.nanmean(np.abs(chunk[: len(shown)] - shown)))
                errors.setdefault(question.episode, []).append(error)
        seams = self._seams(questions, chunks)
        means = {number: round(float(np.mean(values)), 5) for number, values in errors.items()}
        return Answers(
            action_error=float(np.mean(list(means.values()))),
            gripper_error=float(np.mean(wrong)) if wrong else None,
            seam=float(np.median([jump for jump, _ in seams])) if seams else None,
            seam_demonstrated=float(np.median([jump for _, jump in seams])) if seams else None,
            episodes=means,
            queries=len(questions),
        )

    def _wrong_side(self, chunk: NDArray[np.float64], shown: NDArray[np.float64]) -> float:
        """Share of the steps on which the gripper is open where it was shown closed, or the other way round."""
        threshold = self._threshold or 0.0  # without one there is no such question
        answered, demonstrated = (values[:, self._gripper] < threshold for values in (chunk, shown))
        return float(np.mean(answered != demonstrated))

    def _seams(
        self, questions: Sequence[_Question], chunks: NDArray[np.float64]
    ) -> list[tuple[float, float]]:
        """Largest jump of a joint from the end of one chunk to the next, and the demonstration's at that place."""
        by_number = {episode.index: episode for episode in (*self._held_out, *self._trained)}
        first: dict[tuple[int, int | None], tuple[int, NDArray[np.float64]]] = {}
        seams: list[tuple[float, float]] = []
        for question, chunk in zip(questions, chunks, strict=True):
            if question.event:
                continue
            key = (question.episode, question.pair)
            if key not in first:
                first[key] = (question.frame, chunk)
                continue
            actions = by_number[question.episode].actions
            shown = np.abs(actions[question.frame] - actions[question.frame - 1]).max()
            seams.append((float(np.abs(chunk[0] - first[key][1][-1]).max()), float(shown)))
        return seams


def asker(policy: Any, before: Any, after: Any) -> Ask:
    """How to put observations through a policy and its processors; its mode is put back."""

    @torch.no_grad()
    def ask(batch: dict[str, Any]) -> NDArray[np.float64]:
        torch.manual_seed(0)
        training = policy.training
        policy.eval()
        chunks = after(asking.ask(policy, [before(dict(batch))]))
        policy.train(training)
        return chunks.double().cpu().numpy()

    return ask


def _moved(picture: NDArray[np.uint8], way: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture [h, w, 3] moved right and down by so many times `SHIFT`; its edge is repeated."""
    height, width = picture.shape[:2]
    step = max(1, round(SHIFT * width))
    rows = (np.arange(height) - step * way[1]).clip(0, height - 1)
    columns = (np.arange(width) - step * way[0]).clip(0, width - 1)
    return picture[rows][:, columns]


def _spread(episodes: Sequence[Episode], count: int) -> list[Episode]:
    """`count` of the episodes, evenly spread over their order."""
    chosen = np.unique(np.linspace(0, len(episodes) - 1, min(count, len(episodes))).round().astype(int))
    return [episodes[place] for place in chosen]
