"""Carries out repairs on a copy of a dataset: with LeRobot's dataset tools where it has one that fits.

LeRobot 0.6.1 leaves out episodes (`delete_episodes`) and renames instructions (`modify_tasks`). It has no tool
that cuts an episode, exchanges two cameras, converts a unit or corrects a count; its `recompute_stats` averages
quantiles (see `statistics`); and its `delete_episodes` encodes videos anew unless whole files are left out, which
is what `rearranging` sees to.
"""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

import numpy as np
import pyarrow as pa
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.dataset_tools import delete_episodes, modify_tasks

from regrasp.data import Dataset, read_dataset
from regrasp.data.episode import camera_name
from regrasp.data.expected import renumber_expected
from regrasp.data.new_folder import copy_folder, new_folder, require_new_folder
from regrasp.data.provenance import keep_episodes
from regrasp.data.rollouts import read_outcomes, write_outcomes
from regrasp.diagnosis.audit import Audit, audit
from regrasp.diagnosis.fix import require_v3
from regrasp.diagnosis.repair import (
    ConvertUnits,
    RecomputeStatistics,
    Repair,
    ReplaceInstructions,
    SwapCameras,
)
from regrasp.diagnosis.repair_plan import (
    RepairPlan,
    dropped_episodes,
    final_wordings,
    kept_frames,
    plan_repairs,
)
from regrasp.errors import DatasetError, RegraspError, first_line
from regrasp.lerobot_bridge.folders import (
    change_tables,
    count_anew,
    keys_of,
    numbers,
    passing_cache,
    read_info,
    read_rows,
    with_numbers,
    write_totals,
)
from regrasp.lerobot_bridge.quiet import quiet
from regrasp.lerobot_bridge.rearranging import rearrange, video_files
from regrasp.lerobot_bridge.statistics import recompute_statistics

LONGEST_REASON = 160
"""Characters of LeRobot's own words that are repeated: some of its errors print whole tables."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """What was to be done, the new dataset, and what the same checks say of it; both None when nothing was."""

    plan: RepairPlan
    into: Path | None = None
    after: Audit | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left that a repair would put right."""
        return self.after is None or all(finding.fix.repair is None for finding in self.after.findings)


def fix(dataset: str | Path | Dataset, into: str | Path, *, names: Collection[str] | None = None) -> Fixed:
    """Put right, in a new folder, what needs no judgement, and audit the result.

    Args:
        dataset: A folder, a Hub id, or one that was read already; it stays as it is.
        into: New folder. Not written when nothing is to be repaired.
        names: The checks whose findings are to be put right; all by default.
    """
    read = dataset if isinstance(dataset, Dataset) else read_dataset(dataset)
    require_new_folder(Path(into), [read.path])
    return carry_out(plan_repairs(read, names), Path(into), names=names)


def carry_out(plan: RepairPlan, into: Path, *, names: Collection[str] | None = None) -> Fixed:
    """Do what is planned, in a new folder, and audit that folder with the checks of these names."""
    if not plan.steps:
        return Fixed(plan)
    apply_repairs(plan.dataset, into, plan.repairs)
    return Fixed(plan, into, audit(into, only=names or None))


def apply_repairs(dataset: Dataset, into: Path, repairs: Sequence[Repair]) -> None:
    """Write a repaired copy, which appears whole and loads in LeRobot, or not at all.

    Raises:
        DatasetError: The dataset is not v3.0, lacks a file, or LeRobot refuses it; or the disk is full.
        UsageError: `into` exists, or lies inside the dataset.
    """
    require_new_folder(into, [dataset.path])
    require_v3(dataset)
    with new_folder(into) as partial:
        copy_folder(dataset.path, partial)
        try:
            with quiet(), passing_cache(partial):
                _repair(partial, dataset, repairs)
                load(partial)
        except Exception as error:
            if is_our_word(error):
                raise
            raise refused(dataset.path, error) from error


def is_our_word(error: Exception) -> bool:
    """Whether an error is told as it is: in our own words, or as what the system says of a place to write."""
    of_system = isinstance(error, OSError) and error.errno and not isinstance(error, FileNotFoundError)
    return bool(of_system) or isinstance(error, RegraspError)


def refused(path: Path, error: Exception) -> DatasetError:
    """What to say when LeRobot's tools give up on a dataset."""
    first = first_line(error)
    first = first if len(first) <= LONGEST_REASON else f"{first[:LONGEST_REASON]} ..."
    return DatasetError(
        f"LeRobot could not edit a copy of {path} ({type(error).__name__}: {first}); expected a v3.0 dataset that "
        f"it loads; try 'regrasp audit {quote(str(path))}' for what is wrong with it."
    )


def _repair(root: Path, dataset: Dataset, repairs: Sequence[Repair]) -> None:
    """What keeps the numbers of episodes and frames comes first, what leaves some out comes last."""
    require_videos(root)
    leaving = dropped_episodes(repairs)
    _require_lengths(dataset, leaving)
    number_of = count_anew(root)
    renumber_expected(root, number_of)
    _require_episodes(repairs, number_of)
    _replace_instructions(root, repairs)
    for repair in repairs:
        if isinstance(repair, ConvertUnits):
            _convert(root, dataset, repair, {number_of[number] for number in repair.episodes})
    cuts = {number_of[number]: frames for number, frames in kept_frames(repairs, leaving).items()}
    dropped = {number_of[number] for number in leaving}
    exchanges = _exchanges(root, repairs, number_of)
    if cuts or dropped or exchanges:
        rearrange(root, exchanges=exchanges, kept_frames=cuts, dropped=dropped)
        (root / "regrasp" / "ticks.parquet").unlink(missing_ok=True)  # they number frames
        count_anew(root)
    looked_at_anew = {number - sum(other < number for other in dropped) for number in cuts}
    if dropped:
        _drop(root, sorted(dropped))
    pictures = any(isinstance(repair, RecomputeStatistics) and repair.pictures for repair in repairs)
    recompute_statistics(root, None if pictures else looked_at_anew)


def _require_lengths(dataset: Dataset, leaving: Collection[int]) -> None:
    """Refuse an episode that stays and has lost rows: its counts are written anew, and nobody would find it any more."""
    said = dataset.declared.lengths if dataset.declared else {}
    off = [
        one
        for one in dataset.episodes
        if said.get(one.index, one.length) > one.length and one.index not in leaving
    ]
    if off:
        raise DatasetError(
            f"Found {off[0].length} rows of episode {off[0].index} and {said[off[0].index]} in its record; expected the "
            "same: rows were lost, and its pictures are out of step. Copy the dataset again, or name wrong-counts to "
            "leave such episodes out."
        )


def _require_episodes(repairs: Sequence[Repair], known: Mapping[int, int]) -> None:
    named = {number for repair in repairs for number in getattr(repair, "episodes", ())}
    unknown = sorted(named - known.keys())
    if unknown:
        raise DatasetError(
            f"Found no episode {unknown[0]} to repair; expected one of the {len(known)} there are."
        )


def load(root: Path) -> LeRobotDataset:
    """The dataset as LeRobot reads it; raises what it raises."""
    return LeRobotDataset(f"local/{root.name}", root=root, video_backend="pyav")


def require_videos(root: Path) -> None:
    """LeRobot asks the Hub for a dataset that lacks a video, and would wait for an answer."""
    missing = sorted(path for path in video_files(root) if not path.is_file())
    if missing:
        raise DatasetError(
            f"Found no file {missing[0].relative_to(root)}; expected it because meta/ names it, and LeRobot edits "
            "whole datasets only; try to copy or download the dataset again."
        )


def _replace_instructions(root: Path, repairs: Sequence[Repair]) -> None:
    """Write the new wordings by LeRobot's own tool, which knows one instruction in each episode."""
    asked = [
        pair
        for repair in repairs
        if isinstance(repair, ReplaceInstructions)
        for pair in repair.wordings.items()
    ]
    wordings = final_wordings(asked)
    if not wordings:
        return
    mixed = [row["episode_index"] for row in read_rows(root) if len(row["tasks"]) > 1]
    if mixed:
        raise DatasetError(
            f"Found several instructions in episode {mixed[0]}; expected one in each, because LeRobot's "
            "'modify_tasks' would keep the first alone; leave this check out of the names to fix."
        )
    modify_tasks(load(root), task_replacements=wordings)


def _convert(root: Path, dataset: Dataset, repair: ConvertUnits, episodes: set[int]) -> None:
    """Write the joints of some episodes in another unit."""
    names = {"observation.state": dataset.joint_names, "action": dataset.names_of_actions}

    def convert(table: pa.Table) -> pa.Table:
        here = np.isin(numbers(table, "episode_index"), list(episodes))
        if not here.any():
            return table
        for column in repair.columns:
            values = numbers(table, column).copy()
            for place, name in enumerate(names[column]):
                if name in repair.lines:
                    line = repair.lines[name]
                    values[here, place] = line.scale * values[here, place].astype(np.float64) + line.offset
            table = with_numbers(table, column, values)
        return table

    change_tables(root, convert)


def _exchanges(
    root: Path, repairs: Sequence[Repair], number_of: Mapping[int, int]
) -> dict[int, dict[str, str]]:
    """For each episode, from which key each camera gets its pictures, after all exchanges in their order."""
    info = read_info(root)
    keys = {camera_name(key): key for key in keys_of(info, "video", "image")}
    sources: dict[int, dict[str, str]] = {}
    for repair in repairs:
        if isinstance(repair, SwapCameras):
            one, other = (keys[name] for name in repair.cameras)
            _require_alike(info["features"][one], info["features"][other], repair.cameras)
            for number in repair.episodes:
                own = sources.setdefault(number_of[number], {})
                own[one], own[other] = own.get(other, other), own.get(one, one)
    return sources


def _require_alike(one: dict[str, object], other: dict[str, object], cameras: tuple[str, str]) -> None:
    if (one["dtype"], one["shape"]) != (other["dtype"], other["shape"]):
        raise DatasetError(
            f"Found pictures of {one['shape']} in camera '{cameras[0]}' and {other['shape']} in '{cameras[1]}'; "
            "expected the same size, so that they can change places; leave this check out of the names to fix."
        )


def _drop(root: Path, episodes: list[int]) -> None:
    """Leave episodes out by LeRobot's own tool, and carry over what it does not know of."""
    kept = root.with_name(f"{root.name}.kept")
    shutil.rmtree(kept, ignore_errors=True)
    try:
        delete_episodes(load(root), episodes, output_dir=kept, repo_id=f"local/{root.name}")
        write_totals(kept)
        _carry_over(root, kept)
        left = [number for number in range(len(read_rows(root))) if number not in episodes]
        keep_episodes(kept, left)
        renumber_expected(kept, {old: number for number, old in enumerate(left)})
        _keep_outcomes(root, kept, left)
        shutil.rmtree(root)
        kept.rename(root)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _keep_outcomes(root: Path, kept: Path, left: Sequence[int]) -> None:
    """Carry over how the episodes that are left ended, under their new numbers."""
    known = read_outcomes(root)
    if known is not None:
        outcomes, deployment = known
        new = {old: number for number, old in enumerate(left)}
        ours = [replace(one, episode=new[one.episode]) for one in outcomes if one.episode in new]
        write_outcomes(kept, ours, deployment)


def _carry_over(root: Path, kept: Path) -> None:
    """Copy files that are not LeRobot's, except those that number episodes or frames (`regrasp/`)."""
    for path in root.rglob("*"):
        name = path.relative_to(root)
        ours = name.parts[0] not in ("data", "videos", "images", "regrasp")
        if path.is_file() and ours and not (kept / name).exists() and name.parts[:2] != ("meta", "episodes"):
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept / name)
