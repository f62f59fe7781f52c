"""Actions that a broken policy might send, drawn at random."""

import numpy as np

WRONG = (
    None,
    "grab it",
    [],
    [1.0],
    [[0.0] * 6],
    np.zeros(5),
    np.zeros(7),
    np.zeros((6, 1)),
    np.array(["1"] * 6),
    np.array([None] * 6),
    np.ones(6, bool),
    np.ones(6) * 1j,
    [10**400] * 6,
    [[1.0], [2.0, 3.0]],
    {"shoulder_pan.pos": 1.0},
    np.float64(3.0),
)
"""Not six numbers."""

ODD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320, 1e6)


def sequence(rng, start, ticks=30):
    """Wanted actions of one episode: a wandering arm that goes mad now and then."""
    position = start.copy()
    kind = rng.integers(6)
    for _ in range(ticks):
        position = position + rng.normal(0, 3, 6)
        if kind == 1:  # jumps
            position = position + rng.normal(0, 80, 6) * (rng.random(6) < 0.3)
        wanted = position.copy()
        if kind == 2:  # NaN, infinity, huge
            spoiled = rng.random(6) < 0.4
            wanted[spoiled] = rng.choice(ODD, spoiled.sum())
        if kind == 3:  # hard against the limits and beyond
            wanted = np.sign(rng.normal(size=6)) * rng.uniform(90, 400, 6)
        if kind == 4 and rng.random() < 0.5:  # the wrong length, shape or kind
            yield WRONG[rng.integers(len(WRONG))]
            continue
        if kind == 5:  # stuck, then away at full speed
            wanted = start + 100.0 * (rng.random() < 0.3)
        with np.errstate(over="ignore"):
            yield wanted.astype(np.float32) if rng.random() < 0.2 else wanted


def damage(gate, rng, ticks=30, pose_spread=40.0):
    """Run one sequence through the gate; gives how many commands broke a promise, and how many were changed."""
    pose = rng.normal(0, pose_spread, 6)
    gate.reset()
    low, high = gate.limits[:, 0], gate.limits[:, 1]
    sent_so_far = [np.clip(pose, low, high)]
    broken = changed = 0
    for wanted in sequence(rng, pose, ticks):
        sent, was_changed = gate.check(wanted, pose)
        step = gate.first_step if len(sent_so_far) == 1 else gate.max_step
        recent = np.array([*sent_so_far[1:], sent][-gate.travel_ticks :])
        too_fast = gate.max_travel is not None and (np.ptp(recent, axis=0) > gate.max_travel + 1e-9).any()
        broken += bool(
            sent.shape != (6,)
            or not np.isfinite(sent).all()
            or (sent < low).any()
            or (sent > high).any()
            or (np.abs(sent - sent_so_far[-1]) > step + 1e-9).any()
            or too_fast
        )
        changed += was_changed
        sent_so_far.append(sent)
    return broken, changed
