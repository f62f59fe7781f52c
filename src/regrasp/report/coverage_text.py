"""What a dataset covers, for a person at a terminal: starts, a map seen from above, the next episodes."""

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regrasp.diagnosis.coverage import Coverage, JointStart, Map
from regrasp.diagnosis.finding import count
from regrasp.stats import Rate

MOST_LISTED = 6
"""Thin cells that are named one by one; the map shows the rest."""


def print_coverage(covered: Coverage, console: Console) -> None:
    """Starts and grasps joint by joint, the map with its thin cells, what to record next."""
    dataset = covered.dataset
    size = f"{count(len(dataset.episodes), 'episode')}, {count(dataset.frames, 'frame')}"
    console.print(Text.assemble((dataset.name, "bold"), f": {size}"))
    console.print()
    console.print(_joint_table(covered))
    for line in pose_lines(covered):
        console.print(f"  {line}", soft_wrap=True)
    if covered.map is not None:
        _print_map(covered.map, console)
    if covered.next:
        _print_next(covered, console)
    for what, reason in covered.undecided:
        console.print()
        console.print(Text.assemble(("undecided", "bold"), f"  {what}: {reason}"), soft_wrap=True)


def pose_lines(covered: Coverage) -> list[str]:
    """How far apart starts are, and how many grasps were seen."""
    lines: list[str] = []
    if covered.start_tip_cm is not None:
        lines.append(f"9 of 10 episodes start within {covered.start_tip_cm:.1f} cm of the usual start")
    grasping = len({grasp.episode for grasp in covered.grasps})
    lines.append(
        f"{count(len(covered.grasps), 'grasp')} in {grasping} of {count(len(covered.dataset.episodes), 'episode')}"
    )
    return lines


def map_lines(mapped: Map) -> list[str]:
    """The figures of a map in sentences."""
    cells, hole = mapped.cells, mapped.hole
    width, depth = 100 * mapped.area.size_m[1], 100 * mapped.area.size_m[0]
    lines = [
        f"{len(mapped.places)} places in an area {width:.1f} cm wide and {depth:.1f} cm deep, "
        f"{cells.mean:.1f} to a cell; {int(cells.empty.sum())} of {int(cells.inside.sum())} cells are empty, "
        f"{int(cells.thin.sum())} thin",
        f"evenness {cells.evenness:.2f} (places at random: {mapped.evenness_by_chance:.2f})",
        f"largest hole: {100 * hole.radius_m:.1f} cm around ({hole.x_m:.3f}, {hole.y_m:.3f}) m "
        f"(at random up to {100 * hole.by_chance_m:.1f} cm)",
    ]
    if mapped.outside:
        lines.append(f"{count(mapped.outside, 'place')} outside the area")
    if not np.isfinite(cells.evenness):
        del lines[1]
    return lines


def cell_words(mapped: Map, cell: tuple[int, int]) -> str:
    """Where a cell lies, in metres."""
    x0, x1, y0, y1 = mapped.cells.box(*cell)
    return f"x {x0:.3f} to {x1:.3f}, y {y0:.3f} to {y1:.3f} m"


def _joint_table(covered: Coverage) -> Table:
    """One row a joint: where episodes start, and in which poses they grasp."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("joint", no_wrap=True)
    for title in ("start", "+-", "from", "to", " grasp", "+-", "from", "to"):
        table.add_column(title, justify="right", no_wrap=True)
    grasps = {joint.name: joint for joint in covered.grasp_joints}
    for start in covered.starts:
        table.add_row(start.name, *_numbers(start), *_numbers(grasps.get(start.name)))
    return table


def _numbers(joint: JointStart | None) -> tuple[str, ...]:
    if joint is None:
        return ("",) * 4
    return tuple(f"{value:.1f}" for value in (joint.usual, joint.spread, joint.low, joint.high))


def _print_map(mapped: Map, console: Console) -> None:
    console.print()
    console.print(Text.assemble((mapped.of.capitalize(), "bold"), " seen from above, the arm below"))
    console.print()
    console.print(_grid(mapped))
    console.print("  [dim]\\[0] empty   (1) at most half the mean   . not part of the area[/]")
    for line in map_lines(mapped):
        console.print(f"  {line}", soft_wrap=True)
    for cell, rate in _worst(mapped):
        console.print(f"  success {rate} at {cell_words(mapped, cell)}", soft_wrap=True)


def _grid(mapped: Map) -> Table:
    """Far rows on top, the arm's left on the left; success k/n in each cell where it tells cells apart."""
    cells = mapped.cells
    table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=True)
    table.add_column(justify="right", style="dim")
    columns = list(range(cells.counts.shape[1]))[::-1]
    for _ in columns:
        table.add_column(justify="center", min_width=5)
    for row in reversed(range(cells.counts.shape[0])):
        x0, x1 = 100 * cells.x_edges[row : row + 2]
        label = f"x {x0:5.1f} .. {x1:.1f} cm"
        table.add_row(label, *(_cell(mapped, row, column) for column in columns))
    middles = 50 * (cells.y_edges[:-1] + cells.y_edges[1:])
    table.add_row("y", *(Text(f"{middles[column]:+.1f}", style="dim") for column in columns))
    return table


def _cell(mapped: Map, row: int, column: int) -> Text:
    cells, number = mapped.cells, int(mapped.cells.counts[row, column])
    if not cells.inside[row, column]:
        return Text(".", style="dim")
    told = f"{number}"
    if mapped.scored:
        rate = mapped.rates.get((row, column))
        told = f"{rate.k}/{rate.n}" if rate else told
    if cells.empty[row, column]:
        return Text(f"[{told}]", style="bold red")
    return Text(f"({told})", style="yellow") if cells.thin[row, column] else Text(told, style="green")


def _worst(mapped: Map) -> list[tuple[tuple[int, int], Rate]]:
    """Cells with failures, the lowest success first; none where all that was scored went alike."""
    if not mapped.scored:
        return []
    failing = [(cell, rate) for cell, rate in mapped.rates.items() if rate.k < rate.n]
    return sorted(failing, key=lambda item: (item[1].value, -item[1].n))[:MOST_LISTED]


def _print_next(covered: Coverage, console: Console) -> None:
    console.print()
    console.print(Text("Record next", style="bold"))
    if covered.map is not None:
        x, y = covered.map.area.centre
        console.print(
            f"  [dim]the middle is ({x:.3f}, {y:.3f}) m from the base, x ahead, y to the arm's left[/]",
            soft_wrap=True,
        )
    for number, one in enumerate(covered.next, start=1):
        console.print(
            f"  {number:2}  {one}  [dim]{one.nearest_cm:.1f} cm from the nearest[/]", soft_wrap=True
        )
    console.print(f"  start each from the usual pose: {covered.start_pose}", soft_wrap=True)
