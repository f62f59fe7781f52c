"""Mixes datasets into one by LeRobot's own merge, and notes which episode came from where.

LeRobot's `merge_datasets` (0.6.1) refuses another fps, robot or set of columns, and nothing else. What it does not
look at is compared before (`diagnosis.merge_plan`); its statistics, whose quantiles are averages, are computed anew.
It also refuses columns that are only described in other words, as those of recordings made with an earlier LeRobot
are; so it is shown each part with the first one's description.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from lerobot.datasets.dataset_tools import merge_datasets

from regrasp.data.dataset import Dataset
from regrasp.data.expected import Expected, of_parts, read_expected, write_expected
from regrasp.data.new_folder import copy_folder, new_folder, require_new_folder
from regrasp.data.provenance import Parts, write_parts
from regrasp.data.rollouts import Outcome, read_outcomes, write_outcomes
from regrasp.diagnosis.merge_plan import MergePlan, plan_merge
from regrasp.lerobot_bridge.editing import is_our_word, load, refused, require_videos
from regrasp.lerobot_bridge.folders import (
    Row,
    count_anew,
    passing_cache,
    read_info,
    read_rows,
    write_info,
    write_rows,
)
from regrasp.lerobot_bridge.quiet import quiet
from regrasp.lerobot_bridge.rearranging import video_files
from regrasp.lerobot_bridge.statistics import recompute_statistics


@dataclass(frozen=True, eq=False)
class Merged:
    """A dataset that was merged, where its episodes came from, and what was to be known before."""

    plan: MergePlan
    into: Path

    @property
    def parts(self) -> Parts:
        """The parts, in the order of the episodes."""
        return Parts(parts=self.plan.parts)

    def to_json(self) -> dict[str, object]:
        """`{"dataset", "episodes", "frames", "parts", "warnings"}`."""
        return {
            "dataset": str(self.into),
            "episodes": self.parts.episodes,
            "frames": sum(dataset.frames for dataset in self.plan.datasets),
            "parts": [part.model_dump() for part in self.plan.parts],
            "warnings": [warning.to_json() for warning in self.plan.warnings],
        }


def merge(
    sources: Sequence[str | Path], into: str | Path, *, weights: Sequence[float] | None = None
) -> Merged:
    """Mix datasets that fit into a new one; see `plan_merge` for what is refused and what is warned of.

    Args:
        sources: Two or more folders or Hub ids; they stay as they are.
        into: New folder.
        weights: How often a frame of each is drawn in training, against one of weight 1.
    """
    return carry_out(plan_merge(sources, weights), Path(into))


def carry_out(plan: MergePlan, into: Path) -> Merged:
    """Merge what was planned; the new folder appears whole or not at all."""
    require_new_folder(into, [dataset.path for dataset in plan.datasets])
    folders = [dataset.path for dataset in plan.datasets]
    for folder in folders:
        require_videos(folder)
    with new_folder(into) as partial:
        try:
            with quiet(), passing_cache(partial):
                _merge(folders, partial)
        except Exception as error:
            if is_our_word(error):
                raise
            raise refused(_broken(folders), error) from error
        write_parts(partial, plan.parts)
        _keep_expected(plan.datasets, partial)
        _keep_outcomes(plan.datasets, partial)
    return Merged(plan, into)


def _merge(folders: Sequence[Path], partial: Path) -> None:
    with TemporaryDirectory(prefix="regrasp-merge-") as temporary:
        shown = [Path(temporary) / str(number) for number in range(len(folders))]
        for folder, stand_in in zip(folders, shown, strict=True):
            _stand_in(folder, stand_in, read_info(folders[0])["features"])
        merge_datasets(
            [load(folder) for folder in shown],
            output_repo_id=f"local/{partial.name}",
            output_dir=partial,
            concatenate_videos=_same_codecs(folders),
        )
    count_anew(partial)
    recompute_statistics(partial)
    load(partial)


def _broken(folders: Sequence[Path]) -> Path:
    """The first part that LeRobot does not load; the first of all where it loads each."""
    for folder in folders:
        try:
            with quiet():
                load(folder)
        except Exception:
            return folder
    return folders[0]


def _keep_expected(datasets: Sequence[Dataset], partial: Path) -> None:
    """Carry over which oddities of the parts are meant to be there."""
    first = 0
    parts: list[tuple[tuple[Expected, ...], range]] = []
    for dataset in datasets:
        count = len(dataset.episodes)
        parts.append((read_expected(dataset.path), range(first, first + count)))
        first += count
    declared = of_parts(parts)
    if declared:
        write_expected(partial, declared)


def _keep_outcomes(datasets: Sequence[Dataset], partial: Path) -> None:
    """Carry over how the episodes ended and where the object lay, where that is noted of all parts in the same way."""
    known = [read_outcomes(dataset.path) for dataset in datasets]
    noted = [one for one in known if one is not None]
    if len(noted) < len(known) or any(deployment != noted[0][1] for _, deployment in noted):
        return
    first = 0
    outcomes: list[Outcome] = []
    for dataset, (ours, _) in zip(datasets, noted, strict=True):
        outcomes += [replace(one, episode=first + one.episode) for one in ours]
        first += len(dataset.episodes)
    write_outcomes(partial, outcomes, noted[0][1])


def _stand_in(folder: Path, stand_in: Path, features: Row) -> None:
    """A folder with copied metadata, which describe the columns as `features`, and links to all else.

    LeRobot only reads it. What its columns are was compared before. The records of the episodes are written anew,
    because those that LeRobot's merge wrote may name files of metadata that are not there, and it asks for them.
    """
    copy_folder(folder / "meta", stand_in / "meta")
    write_rows(stand_in, read_rows(stand_in))
    for name in ("data", "videos"):
        if (folder / name).is_dir():
            (stand_in / name).symlink_to((folder / name).resolve(), target_is_directory=True)
    write_info(stand_in, {**read_info(folder), "features": features})
    (stand_in / "meta" / "stats.json").write_text("{}")  # computed anew in the end


def _same_codecs(folders: Sequence[Path]) -> bool:
    """Whether the videos may be put into one file: LeRobot gives up halfway where they may not."""
    kinds: dict[str, set[tuple[object, ...]]] = {}
    for folder in folders:
        for path in video_files(folder):
            with av.open(str(path)) as container:
                context = container.streams.video[0].codec_context
                key = path.relative_to(folder).parts[1]
                kinds.setdefault(key, set()).add(
                    (context.name, context.pix_fmt, context.width, context.height)
                )
    return all(len(found) == 1 for found in kinds.values())
