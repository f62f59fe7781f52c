"""How evenly places in a plane fill an area: cells, the largest hole, evenness, and where to go next.

Places are x and y in metres, shape [N, 2], x forwards and y to the left of whatever they are measured from.
Everything is pure arithmetic on arrays; what chance alone would give comes from simulation with a fixed seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Places = NDArray[np.float64]

PLACES_PER_CELL = 2.0
"""Cells are as large as lets this many places fall into each, were they spread evenly."""

MOST_CELLS = 10
"""Along a side: more do not fit a terminal, and nobody records them one by one."""

SMALLEST_SIDE_M = 0.02
"""An area is at least this wide: a hand meets a mark on the table within a centimetre."""

FINE = 32
"""Points along the longer side at which distances are measured; 5 mm in an area of 6 inches."""

THIN_SHARE = 0.2
"""Of the area: its thinnest part, in which the next places are looked for."""

EDGE_SHARE = 0.05
"""Of each side: nothing is proposed closer to the edge."""

APART = 4.0
"""In radii: circles around two places then have one more circle between them."""

TRIALS = 60
"""Simulations of chance. The limit is the largest of so many: exceeded by chance once in 61 times."""

MOST_SIMULATED = 400
"""More places than this are simulated by so many; the hole shrinks as sqrt(log n / n) (Janson 1987)."""


@dataclass(frozen=True, eq=False)
class Area:
    """Where places are wanted: a box from `low` to `high`, [2] each, or the part of it that data span.

    `hulls` are convex outlines [K, 2] of the data, seen in the plane and from `axis`, the point about which
    the arm turns: an arc around the arm has no hole between it and its chord.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    hulls: tuple[Places, ...] = ()
    axis: tuple[float, float] = (0.0, 0.0)
    reach_m: float = 0.0
    margin_m: float = 0.0

    @classmethod
    def square(cls, centre: tuple[float, float], side_m: float) -> Self:
        """A square that somebody has marked."""
        middle = np.asarray(centre, dtype=np.float64)
        return cls(middle - side_m / 2, middle + side_m / 2)

    @classmethod
    def around(cls, places: Places, axis: tuple[float, float] = (0.0, 0.0)) -> Self:
        """What the places span, and half a centimetre more."""
        low, high = places.min(axis=0), places.max(axis=0)
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, SMALLEST_SIDE_M / 2)
        reach = float(np.hypot(*(places - np.asarray(axis)).T).mean())
        hulls = (_convex_hull(places), _convex_hull(_seen_from(places, axis, reach)))
        return cls(middle - half, middle + half, hulls, axis, reach, SMALLEST_SIDE_M / 4)

    @property
    def size_m(self) -> NDArray[np.float64]:
        """Width along x and along y, [2]."""
        return self.high - self.low

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle of the box, [2]."""
        return (self.low + self.high) / 2

    def contains(self, places: Places) -> NDArray[np.bool_]:
        """Whether each place lies in the area, [N]."""
        within = (places >= self.low - 1e-9) & (places <= self.high + 1e-9)
        inside: NDArray[np.bool_] = within[:, 0] & within[:, 1]
        if self.hulls:
            flat, turned = self.hulls
            seen = _seen_from(places, self.axis, self.reach_m)
            inside &= _outside_by(places, flat) <= self.margin_m
            inside &= _outside_by(seen, turned) <= self.margin_m
        return inside

    @cached_property
    def fine(self) -> Places:
        """Points of a fine grid inside the area, [M, 2]; at least the middle."""
        step = float(self.size_m.max()) / FINE
        x, y = (
            np.linspace(low, high, max(2, round((high - low) / step) + 1))
            for low, high in zip(self.low, self.high, strict=True)
        )
        points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        within = points[self.contains(points)]
        return within if len(within) else self.centre[None]


@dataclass(frozen=True, eq=False)
class Cells:
    """An area in cells: `counts` [X, Y] places each, `inside` [X, Y] whether a cell belongs to the area."""

    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, places: Places, area: Area) -> Self:
        """Cells nearly square, as many as the number of places fills; see `PLACES_PER_CELL`."""
        wanted = max(4.0, len(places) / PLACES_PER_CELL)
        side = float(np.sqrt(np.prod(area.size_m) / wanted))
        across = np.clip(np.round(area.size_m / side), 1, MOST_CELLS).astype(int)
        x, y = (
            np.linspace(low, high, count + 1)
            for low, high, count in zip(area.low, area.high, across, strict=True)
        )
        cells = cls(x, y, np.zeros((len(x) - 1, len(y) - 1), np.int64), np.ones((1, 1), np.bool_))
        counts = cells.count(places)
        return cls(x, y, counts, (cells.count(area.fine) > 0) | (counts > 0))

    def cell_of(self, places: Places) -> NDArray[np.int64]:
        """Row along x and column along y of each place, [N, 2]; -1 outside the box."""
        found = np.stack(
            [
                np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
                for edges, values in zip((self.x_edges, self.y_edges), places.T, strict=True)
            ],
            axis=1,
        )
        low, high = (np.array([edges[end] for edges in (self.x_edges, self.y_edges)]) for end in (0, -1))
        found[((places < low - 1e-9) | (places > high + 1e-9)).any(axis=1)] = -1
        return found.astype(np.int64)

    def count(self, places: Places, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """How many places fall into each cell, [X, Y]; of the `chosen` ones where given."""
        cells = self.cell_of(places if chosen is None else places[chosen])
        cells = cells[cells[:, 0] >= 0]
        counts = np.zeros((len(self.x_edges) - 1, len(self.y_edges) - 1), np.int64)
        np.add.at(counts, (cells[:, 0], cells[:, 1]), 1)
        return counts

    @property
    def mean(self) -> float:
        """Places per cell of the area."""
        return float(self.counts[self.inside].mean())

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Cells of the area without a place."""
        return self.inside & (self.counts == 0)

    @property
    def thin(self) -> NDArray[np.bool_]:
        """Cells of the area with some places, but at most half the mean."""
        return self.inside & (self.counts > 0) & (self.counts <= self.mean / 2)

    @property
    def evenness(self) -> float:
        """Entropy of the counts over the highest that so many cells could have; 1 where all are equal."""
        counts = self.counts[self.inside].astype(np.float64)
        if len(counts) < 2 or counts.sum() == 0:
            return float("nan")
        shares = counts[counts > 0] / counts.sum()
        return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))

    def box(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Where one cell begins and ends along x, then along y."""
        x, y = self.x_edges[row : row + 2], self.y_edges[column : column + 2]
        return float(x[0]), float(x[1]), float(y[0]), float(y[1])


@dataclass(frozen=True)
class Hole:
    """The largest circle about a point of an area that holds no place; `by_chance_m` is the limit of chance."""

    x_m: float
    y_m: float
    radius_m: float
    by_chance_m: float


def largest_hole(places: Places, area: Area, *, worth_m: float = 0.0) -> Hole:
    """Where the next place is furthest away, beside what as many places at random would leave.

    A hole smaller than `worth_m` is not compared with chance, which takes time: its limit is infinite.
    """
    distances = nearest_m(area.fine, places)
    radius = float(distances.max())
    x, y = area.fine[int(np.argmax(distances))]
    chance = hole_by_chance(int(area.contains(places).sum()), area) if radius >= worth_m else float("inf")
    return Hole(float(x), float(y), radius, chance)


def hole_by_chance(number: int, area: Area) -> float:
    """Radius of the largest hole that `number` places at random leave in `TRIALS` trials, metres."""
    rng = np.random.default_rng(0)
    simulated = min(number, MOST_SIMULATED)
    holes = [float(nearest_m(area.fine, drawn).max()) for drawn in _at_random(rng, simulated, area, TRIALS)]
    shrunk = np.sqrt(np.log(number) / number * simulated / np.log(simulated)) if number > simulated else 1.0
    return max(holes) * float(shrunk)


def evenness_by_chance(number: int, cells: Cells) -> float:
    """Mean evenness of `number` places at random in these cells."""
    rng, inside = np.random.default_rng(0), cells.inside
    drawn = rng.multinomial(number, np.full(int(inside.sum()), 1 / inside.sum()), size=TRIALS)
    values: list[float] = []
    for counts in drawn:
        filled = np.zeros_like(cells.counts)
        filled[inside] = counts
        values.append(Cells(cells.x_edges, cells.y_edges, filled, inside).evenness)
    return float(np.mean(values))


def next_places(places: Places, area: Area, number: int) -> Places:
    """Where to go next, [number, 2], the most wanted first.

    Each time, among the thinnest fifth of the area, the point furthest from all places and from those chosen
    before. Thinness is a Gaussian kernel density as wide as the mean distance between places, over the part of
    the kernel that lies in the area, so that an edge does not look thin for being one.
    """
    points = _off_the_edge(area)
    spacing = float(np.sqrt(_covered_m2(area) / max(1, len(places) + number)))
    mass = _density(points, area.fine, spacing)
    density, distance = _density(points, places, spacing), nearest_m(points, places)
    chosen = np.zeros((0, 2))
    for _ in range(number):
        thinness = density / mass
        thin = thinness <= np.quantile(thinness, THIN_SHARE)
        best = points[int(np.argmax(np.where(thin, distance, -1.0)))][None]
        density = density + _density(points, best, spacing)
        distance = np.minimum(distance, nearest_m(points, best))
        chosen = np.vstack([chosen, best])
    return chosen


def _off_the_edge(area: Area) -> Places:
    """Points of the fine grid not quite at the box's edge, [M, 2]; an object has a size."""
    inset = EDGE_SHARE * area.size_m
    inner = ((area.fine >= area.low + inset) & (area.fine <= area.high - inset)).all(axis=1)
    return area.fine[inner] if inner.any() else area.fine


def _covered_m2(area: Area) -> float:
    """Size of the area: as many steps of the fine grid as points of it lie inside."""
    step = float(area.size_m.max()) / FINE
    return len(area.fine) * step**2


def _density(points: Places, places: Places, width_m: float) -> NDArray[np.float64]:
    density = np.zeros(len(points))
    for part in np.array_split(places, max(1, len(places) // 256)):
        density += _kernel(points, part, width_m).sum(axis=1)
    return density


def _kernel(points: Places, places: Places, width_m: float) -> NDArray[np.float64]:
    """Gaussian kernel of every pair, [M, N]; 1 where they meet."""
    return np.exp(-_squared(points, places) / (2 * width_m**2))


def count_places(
    points: NDArray[np.float64], radius: float, share: float, *, most: int, order: float = 2
) -> int | None:
    """Of how many points a `share` of all, [N, D], lies within `radius`; None when of more than `most`.

    The points are chosen one after the other, each the one with the most that are not counted yet. They must
    lie `APART` radii from each other, or else they are no places but parts of a line. `order` is that of the
    norm: 2 for metres, infinity for the joint that is furthest away. Of many points some are taken.

    Example:
        >>> count_places(np.array([[0.0], [0.1], [5.0], [5.1]]), 0.2, 0.9, most=3)
        2
    """
    taken = points[np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST_SIMULATED)).astype(int))]
    distances = np.linalg.norm(taken[:, None] - taken[None], ord=order, axis=-1)
    left = np.ones(len(taken), dtype=np.bool_)
    chosen: list[int] = []
    for _ in range(most):
        best = int(np.argmax((distances[:, left] <= radius).sum(axis=1)))
        if any(distances[best, other] < APART * radius for other in chosen):
            return None
        chosen.append(best)
        left &= distances[best] > radius
        if left.sum() <= (1 - share) * len(taken) + 1e-9:
            return len(chosen)
    return None


def nearest_m(points: Places, places: Places) -> NDArray[np.float64]:
    """Distance of each point to the nearest place, [M]; infinite without places."""
    nearest = np.full(len(points), np.inf)
    for part in np.array_split(places, max(1, len(places) // 256)):
        if len(part):
            nearest = np.minimum(nearest, _squared(points, part).min(axis=1))
    return np.sqrt(nearest)


def _squared(points: Places, places: Places) -> NDArray[np.float64]:
    """Squared distance of every pair, [M, N]; by |p|^2 + |q|^2 - 2 pq, which spares a table of differences."""
    sums = (points**2).sum(axis=1)[:, None] + (places**2).sum(axis=1)
    return np.maximum(sums - 2 * points @ places.T, 0.0)


def _at_random(rng: np.random.Generator, number: int, area: Area, trials: int) -> Iterator[Places]:
    step = area.size_m / FINE
    for _ in range(trials):
        drawn = area.fine[rng.integers(0, len(area.fine), number)]
        yield drawn + rng.uniform(-0.5, 0.5, drawn.shape) * step


def _seen_from(places: Places, axis: tuple[float, float], reach: float) -> Places:
    """Distance from the axis, and the way along a circle of radius `reach`; metres both, [N, 2]."""
    x, y = (places - np.asarray(axis)).T
    return np.stack([np.hypot(x, y), reach * np.arctan2(y, x)], axis=1)


def _convex_hull(points: Places) -> Places:
    """Corners of the convex hull, anticlockwise, [K, 2]; Andrew's monotone chain (1979)."""
    ordered = np.unique(points, axis=0).tolist()
    if len(ordered) < 3:
        return np.array(ordered)
    return np.array([*_chain(ordered)[:-1], *_chain(ordered[::-1])[:-1]])


def _chain(ordered: list[list[float]]) -> list[list[float]]:
    chain: list[list[float]] = []
    for x, y in ordered:
        while len(chain) > 1 and _turns_left(chain[-2], chain[-1], x, y) <= 0:
            chain.pop()
        chain.append([x, y])
    return chain


def _turns_left(one: list[float], two: list[float], x: float, y: float) -> float:
    return (two[0] - one[0]) * (y - one[1]) - (two[1] - one[1]) * (x - one[0])


def _outside_by(points: Places, hull: Places) -> NDArray[np.float64]:
    """How far each point lies outside a hull, [N]; 0 or less inside. A hull may be a line or a point."""
    if len(hull) < 3:
        return _from_segment(points, hull[0], hull[-1])
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.hypot(*edges.T)[:, None]
    return ((points[:, None] - hull[None]) * normals[None]).sum(axis=-1).max(axis=1)


def _from_segment(
    points: Places, start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    along = end - start
    share = np.clip((points - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)
