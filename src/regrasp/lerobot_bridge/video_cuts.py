"""Copies stretches of a video without decoding them, so that no picture loses anything.

LeRobot puts many episodes into one file, and encodes what is left anew when it leaves some out. Here the packets
of the wanted stretches are copied. A stretch begins where its group of pictures does, at a key frame, of which
LeRobot writes one in every two frames: so at most that much more than what is wanted is copied.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av

from regrasp.errors import DatasetError


def copy_stretches(source: Path, target: Path, spans_s: Sequence[tuple[float, float]]) -> list[float]:
    """Copy stretches, each from its first second up to its last, into a new file.

    They stand in the new file in the order of the old one.

    Returns:
        Where each stretch begins in the new file, in seconds, in the order of `spans_s`.
    """
    keys, unit = _key_times(source)
    spans = [(round(start / unit), round(end / unit)) for start, end in spans_s]
    shifts = _shifts(keys, spans)
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy_groups(source, target, unit, shifts)
    return [float((start - shifts[_group_at(keys, start)]) * unit) for start, _ in spans]


def _key_times(path: Path) -> tuple[list[int], Fraction]:
    """Time of each key frame in ticks, and a tick in seconds; the packets are read but not decoded."""
    keys: list[int] = []
    unit = None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = container.demux(stream)
        keys = [packet.pts for packet in packets if packet.is_keyframe and packet.pts is not None]
        unit = stream.time_base
    if not keys or unit is None:
        raise DatasetError(f"Found no pictures in {path}; expected some; try to copy or download it again.")
    return keys, unit


def _copy_groups(source: Path, target: Path, unit: Fraction, shifts: Mapping[int, int]) -> None:
    """Copy the packets of these groups of pictures, each moved forward by so many ticks."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        stream = container.streams.video[0]
        copied = out.add_stream_from_template(stream, opaque=True)  # also where there is a decoder alone
        copied.time_base = unit
        group, last = -1, None
        for packet in container.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            group += packet.is_keyframe
            if group in shifts:
                packet.pts -= shifts[group]
                packet.dts -= shifts[group]
                if last is not None:
                    packet.dts = max(packet.dts, last + 1)
                last = packet.dts
                packet.stream = copied
                out.mux(packet)


def _group_at(keys: Sequence[int], time: int) -> int:
    """Number of the group of pictures that is shown at this time; a tick of rounding is forgiven."""
    return max(bisect_right(keys, time + 1) - 1, 0)


def _shifts(keys: Sequence[int], spans: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For each group that any span touches, by how many ticks it moves forward to close the gaps."""
    wanted = sorted(
        {
            group
            for start, end in spans
            for group in range(_group_at(keys, start), _group_at(keys, max(end - 2, start)) + 1)
        }
    )
    shifts: dict[int, int] = {}
    shift, after = keys[wanted[0]] - keys[0] if wanted else 0, None
    for group in wanted:
        if after is not None and group != after:
            shift += keys[group] - keys[after]
        shifts[group] = shift
        after = group + 1
    return shifts
