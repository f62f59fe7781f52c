"""A few steps of training on this machine: what a step costs, and what a query of the policy takes."""

import os
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from regrasp.data.dataset import Dataset, read_dataset
from regrasp.data.journal import Journal
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.lerobot_bridge.frame_cache import fits
from regrasp.lerobot_bridge.keeping import Keeper, Progress
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.running import run_lerobot
from regrasp.lerobot_bridge.train_options import arguments_for
from regrasp.training.plan import Plan, Trial

STEPS, WARM = 10, 3
"""Steps that are taken, and how many of them do not count: the first allocate and choose kernels."""

EPISODES = 2
"""Episodes whose video is decoded for it, spread over the dataset."""


@dataclass
class _Watch:
    """Notes when each step was done."""

    times: list[float] = field(default_factory=list[float])

    def __call__(self, _done: int, _all: int) -> None:
        self.times.append(time.perf_counter())

    @property
    def per_step_s(self) -> float:
        """The median time of a step that counts."""
        laps = [after - before for before, after in zip(self.times, self.times[1:], strict=False)]
        return statistics.median(laps[WARM - 1 :])


def measure_trial(dataset: str | Path, policy: str, planned: Plan) -> Trial:
    """Train `STEPS` steps of the plan in a folder that is deleted afterwards, then ask the policy."""
    data = read_dataset(dataset)
    watch = _Watch()
    with tempfile.TemporaryDirectory(prefix="regrasp-trial-") as folder:
        run = Path(folder) / "run"
        _train_shortly(data, run, policy, planned, watch)
        checkpoint = run / "checkpoints" / "last"
        size = sum(path.stat().st_size for path in checkpoint.rglob("*") if path.is_file())
        return Trial(
            seconds_per_step=watch.per_step_s,
            memory_gb=_memory_gb(),
            checkpoint_gb=size / 1e9,
            latency_ms=_latency_ms(checkpoint, data),
            device=_device(),
            steps=STEPS - WARM,
        )


def _train_shortly(data: Dataset, run: Path, policy: str, planned: Plan, watch: _Watch) -> None:
    """The plan's training, cut to `STEPS` steps and to a few episodes."""
    some = data.episodes[:: max(1, len(data.episodes) // EPISODES)][:EPISODES]
    short = replace(planned, steps=STEPS, save_every=STEPS, held_out=())
    chosen = f"--dataset.episodes={[episode.index for episode in some]}"
    arguments = arguments_for(data, short, policy=policy, seed=0, options=[chosen])
    journal = Journal(
        dataset=str(data.path), policy=planned.policy, arguments=[], total_steps=STEPS, frames=data.frames
    )
    keeper = Keeper(run, data, journal, progress=Progress(on_step=watch), cached=_would_be_cached(data))
    run_lerobot([*arguments, f"--output_dir={run}"], keeper)


def _would_be_cached(data: Dataset) -> bool:
    """Whether the whole dataset's frames have room where decoded frames are kept."""
    cameras = data.episodes[0].cameras.values()
    size = data.frames * sum(3 * camera.height * camera.width for camera in cameras)
    return fits(size)


def _memory_gb() -> float:
    """The most that was taken at once: of the GPU where there is one, else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _latency_ms(checkpoint: Path, data: Dataset) -> float:
    """The median time of a query with one observation."""
    policy, episode = LoadedPolicy(checkpoint), data.episodes[0]
    pictures = {camera.key: camera.frames([0]) for camera in episode.cameras.values()}
    images = {key: pictures[key] for key in policy.camera_keys}
    asked = ObservationBatch(episode.states[:1], images, [episode.tasks[0]])
    laps: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        policy.chunks(asked)
        laps.append(1000 * (time.perf_counter() - began))
    return statistics.median(laps)


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores"
