"""The page of a diagnosis: the verdict, the probes, and the figures that people would draw themselves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.data.episode import Camera, Episode
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.diagnose import contract_of_data
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.ranking import Diagnosis
from regrasp.report import motion_figures
from regrasp.report.blocks import Block, FigureBlock, Section
from regrasp.report.html import write_report
from regrasp.report.sections import camera_pairs, deployment_section, diagnosis_section, training_section


def write_diagnosis_page(
    diagnosis: Diagnosis,
    out: str | Path,
    *,
    train: Dataset,
    rollouts: Rollouts | None = None,
    live: LiveView | None = None,
    checkpoint: str | Path | None = None,
) -> Path:
    """Write the page, whole or not at all; gives its path. Of `rollouts` and `live` the one that was judged."""
    contract = None if checkpoint is None else read_checkpoint(checkpoint).contract
    contract = contract or contract_of_data(train)
    name = rollouts.dataset.name if rollouts else "the station now"
    return write_report(
        _sections(diagnosis, contract, train, rollouts, live),
        out,
        title=f"Diagnosis of {name}",
        subtitle=f"Against the training data {train.name}",
        facts={"success": diagnosis.success} if diagnosis.success.n else None,
    )


def _sections(
    diagnosis: Diagnosis, contract: Contract, train: Dataset, rollouts: Rollouts | None, live: LiveView | None
) -> Iterator[Section]:
    yield diagnosis_section(diagnosis, title="Why" if rollouts else "Would it work here?")
    if rollouts is not None:
        yield deployment_section("rollouts", train, rollouts, contract, title="Training against deployment")
    elif live is not None:
        yield _live_section(train, live)
    yield training_section(train, contract)


def _live_section(train: Dataset, live: LiveView) -> Section:
    """What the station shows beside what the training began with."""
    now = _as_dataset(train, live)
    pairs = camera_pairs(train, now, "now")
    starts = FigureBlock(motion_figures.start_poses(train, {"now": now}))
    blocks: tuple[Block, ...] = (pairs, starts) if pairs else (starts,)
    return Section("What the station shows", blocks, f"Told '{live.instruction}'. Nothing has moved.")


def _as_dataset(train: Dataset, live: LiveView) -> Dataset:
    """One episode of one frame, in the training's order of joints."""
    names = live.joint_names or train.joint_names
    order = [names.index(name) for name in train.joint_names if name in names]
    joints = (live.joints[order] if len(order) == len(train.joint_names) else live.joints)[None]
    cameras = {
        name: Camera.from_array(name, picture[None], live.fps) for name, picture in live.images.items()
    }
    episode = Episode(
        index=0,
        fps=live.fps,
        timestamps=np.zeros(1),
        states=joints,
        actions=joints,
        joint_names=train.joint_names,
        task_indices=np.zeros(1, np.int64),
        tasks=(live.instruction,),
        cameras=cameras,
    )
    return replace(train, episodes=(episode,), tasks=(live.instruction,))
