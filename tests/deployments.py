"""A small deployment made of arithmetic: training data, rollouts, contract, and a policy to be asked."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from regrasp.arm.so101 import HOME, HOME_SPREAD, JOINTS
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import Dataset
from regrasp.data.episode import Camera, Episode, grid_means
from regrasp.data.rollouts import Deployment, Outcome, Rollouts, Ticks
from regrasp.data.statistics import pooled_statistics
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.rehearsal import following
from regrasp.diagnosis.trained import Sibling, Training

TASK = "Grab the brain"
FPS = 10.0
FRAMES = 30
SIZE = (24, 32)
CAMERAS = ("front", "wrist")


@cache
def training(episodes=40, seed=0, task=TASK):
    """Sound demonstrations: home, open, reach, close, lift; two cameras that see different scenes.

    The same object for the same arguments, with what was found out about it: nothing may change its arrays.
    """
    rng = np.random.default_rng(seed)
    return Dataset(
        path=Path("training"),
        fps=FPS,
        joint_names=JOINTS,
        episodes=tuple(_episode(index, rng, task) for index in range(episodes)),
        tasks=(task,),
        camera_names=CAMERAS,
        robot_type="so101_twin",
    )


def rollouts(episodes=12, seed=1, successes=None, **changes):
    """Rollouts that begin like the training. `successes` of them succeed (all, when left out)."""
    data = replace(training(episodes, seed), **changes) if changes else training(episodes, seed)
    won = episodes if successes is None else successes
    outcomes = tuple(
        Outcome(i, i < won, progress=float(i < won), seconds=3.0, seed=i) for i in range(episodes)
    )
    return Rollouts(data, outcomes, Ticks.empty(6), Deployment(data.tasks[0], (), "runs/last", "twin"))


def checkpoint(**config):
    """What a checkpoint of that policy would say."""
    features = {f"observation.images.{name}": {"type": "VISUAL", "shape": [3, *SIZE]} for name in CAMERAS}
    features["observation.state"] = {"type": "STATE", "shape": [6]}
    return Checkpoint(
        path=Path("checkpoint"),
        policy_type=config.pop("type", "keypoint"),
        config={
            "input_features": features,
            "output_features": {"action": {"type": "ACTION", "shape": [6]}},
            "chunk_size": 8,
            "n_action_steps": 4,
        }
        | config,
        step=300,
        batch_size=8,
    )


def trained_checkpoint(data=None, **config):
    """That checkpoint with the statistics of its training data and the hashes of its files."""
    data = data or training()
    columns = {"observation.state": data.states, "action": data.actions}
    statistics = {name: pooled_statistics(values) for name, values in columns.items()}
    modes = {"STATE": "MEAN_STD", "ACTION": "MEAN_STD", "VISUAL": "IDENTITY"}
    return replace(
        checkpoint(normalization_mapping=modes, **config),
        normalizer=statistics,
        unnormalizer=statistics,
        hashes={"config.json": "a" * 64, "model.safetensors": "b" * 64},
    )


def contract(data=None, **config):
    """The contract of that policy with sound training data."""
    if data is None and not config:
        return _sound_contract()
    return measure_contract(data or training(), checkpoint(**config))


@cache
def _sound_contract():
    return measure_contract(training(), checkpoint())


def live(seed=5, **changes):
    """What a sound station shows before a rollout."""
    episode = training(1, seed).episodes[0]
    images = {name: camera.frames([0])[0] for name, camera in episode.cameras.items()}
    seen = LiveView(TASK, episode.states[0], images, FPS, JOINTS, "so101_twin", inference_s=0.01)
    return replace(seen, **changes)


def swapped_pictures(data):
    """The dataset with the pictures of its two cameras exchanged."""
    episodes = tuple(
        replace(
            one,
            cameras={
                name: replace(one.cameras[other], key=f"observation.images.{name}")
                for name, other in zip(CAMERAS, reversed(CAMERAS), strict=True)
            },
        )
        for one in data.episodes
    )
    return replace(data, episodes=episodes)


def dimmed(data, factor=0.45):
    """The dataset filmed in less light."""
    episodes = tuple(
        replace(
            one,
            cameras={
                name: Camera.from_array(name, (camera.frames() * factor).astype(np.uint8), FPS)
                for name, camera in one.cameras.items()
            },
        )
        for one in data.episodes
    )
    return replace(data, episodes=episodes)


def never_closing(data):
    """The dataset with the gripper open from the tenth frame on."""
    episodes = []
    for one in data.episodes:
        states = one.states.copy()
        states[3:, 5] = np.maximum(states[3:, 5], 55.0)
        episodes.append(replace(one, states=states))
    return replace(data, episodes=tuple(episodes))


@dataclass
class NumpyPolicy:
    """A policy whose plan depends on everything it is given, but for what it is `blind_to`."""

    blind_to: frozenset = frozenset()
    embeds_words: bool = True
    queries: int = 0
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self):
        self._see = {name: self._rng.normal(size=(6 * 8 * 3, 16)) / 12 for name in CAMERAS}
        self._plan = {name: self._rng.normal(size=(16, 8 * 6)) / 4 for name in CAMERAS}
        self._act = self._rng.normal(size=(6, 8 * 6))
        self._read = self._rng.normal(size=(8, 8 * 6)) * 8

    def features(self, batch: ObservationBatch):
        seen = {key: self._pictures(batch.images[key], key.rpartition(".")[2]) for key in batch.images}
        return seen | ({"instruction": self._words(batch.tasks)} if self.embeds_words else {})

    def chunks(self, batch: ObservationBatch):
        self.queries += 1
        plan = np.zeros((len(batch.states), 48))
        for key, seen in self.features(batch).items():
            name = key.rpartition(".")[2]
            if name in CAMERAS and name not in self.blind_to:
                plan += seen @ self._plan[name]
        if "state" not in self.blind_to:
            plan += batch.states @ self._act
        if "instruction" not in self.blind_to:
            plan += self._words(batch.tasks) @ self._read
        return plan.reshape(-1, 8, 6)

    def _pictures(self, pictures, name):
        grid = np.stack([grid_means(picture, (6, 8)).ravel() for picture in pictures])
        return grid @ self._see[name]

    def _words(self, tasks):
        """A bag of hashed words, as a small policy reads them."""
        bags = np.zeros((len(tasks), 8))
        for row, task in enumerate(tasks):
            for word in task.lower().split():
                digest = hashlib.sha256(word.encode()).digest()
                bags[row] += np.frombuffer(digest[:8], np.int8) / 128
        return bags


@dataclass
class LearnedPolicy(NumpyPolicy):
    """A policy that learned `shown`: it answers what was demonstrated from the joint state most like this one."""

    shown: Dataset = None
    wrong_by: float = 0.0

    def chunks(self, batch: ObservationBatch):
        states = np.concatenate([one.states for one in self.shown.episodes])
        ahead = np.concatenate([self._ahead(one) for one in self.shown.episodes])
        nearest = [int(np.argmin(np.abs(states - state).sum(axis=1))) for state in batch.states]
        return ahead[nearest] + self.wrong_by * self.shown.actions.std(axis=0)

    def _ahead(self, episode):
        return np.stack([following(episode, frame, 8) for frame in range(episode.length)])


def training_of(data=None, held_out=(), policy=None, others=None, **changes):
    """A training that went well, on `data`; `others` are policies at other steps of the run, by step."""
    data = data or training()
    learned = tuple(one.index for one in data.episodes if one.index not in held_out)
    saved = trained_checkpoint(data)
    loaded = {Path(f"run/checkpoints/{step}"): one for step, one in (others or {}).items()}
    return Training(
        dataset=data,
        contract=measure_contract(data, saved),
        learned=learned,
        held_out=tuple(held_out),
        checkpoint=saved,
        siblings=tuple(Sibling(int(path.name), path) for path in loaded),
        policy=policy or LearnedPolicy(shown=data),
        load=lambda path, statistics=None: loaded[path],
        **changes,
    )


def _episode(index, rng, task):
    start = HOME + HOME_SPREAD * rng.normal(size=6).clip(-2.5, 2.5)
    start[5] = abs(start[5])
    goal = np.array([rng.normal(0, 8), rng.normal(10, 5), rng.normal(20, 5), 60.0, -50.0, 12.0])
    way = np.linspace(0, 1, FRAMES)[:, None]
    states = start + (goal - start) * np.clip(2 * way, 0, 1)
    states[:, 5] = np.interp(way[:, 0], [0, 0.1, 0.4, 0.6, 1], [start[5], 60, 60, 12, 12])
    spot = (goal[0] / 30, goal[1] / 30)
    films = {name: _film(name, spot, states, rng) for name in CAMERAS}
    timestamps, actions = np.arange(FRAMES) / FPS, np.vstack([states[1:], states[-1:]])
    for shared in (states, actions, timestamps, *films.values()):
        shared.setflags(write=False)
    return Episode(
        index=index,
        fps=FPS,
        timestamps=timestamps,
        states=states,
        actions=actions,
        joint_names=JOINTS,
        task_indices=np.zeros(FRAMES, np.int64),
        tasks=(task,),
        cameras={name: Camera.from_array(name, film, FPS) for name, film in films.items()},
    )


def _film(name, spot, states, rng):
    """A fixed scene per camera, a pink toy at `spot`, an arm that comes in, and noise; uint8 [FRAMES, h, w, 3]."""
    height, width = SIZE
    scene = np.random.default_rng(CAMERAS.index(name)).uniform(40, 200, size=(6, 8, 3))
    scene = np.kron(scene, np.ones((height // 6, width // 8, 1)))
    row, column = int((0.5 + 0.3 * spot[1]) * height) - 2, int((0.5 + 0.3 * spot[0]) * width) - 2
    scene[np.clip(row, 0, height - 4) :][:4, np.clip(column, 0, width - 4) :][:, :4] = (220, 120, 150)
    frames = scene + rng.normal(0, 3, size=(FRAMES, height, width, 3))
    for index in range(1, FRAMES):
        frames[index, 2:14, (3 * index) % (width - 8) :][:, :8] = 255 * (index % 2)
    return frames.clip(0, 255).astype(np.uint8)
