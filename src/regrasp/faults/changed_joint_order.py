"""A station whose robot reports its joints in another order."""

from collections.abc import Sequence
from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView

EXCHANGED = (1, 2)
"""Places of the joints that change places: lift and elbow."""


def changed_joint_order(live: LiveView, *, exchanged: tuple[int, int] = EXCHANGED) -> LiveView:
    """The same, with two joints exchanged, name and value."""
    order = exchanged_order(range(len(live.joint_names)), exchanged)
    return replace(
        live, joints=live.joints[order], joint_names=tuple(live.joint_names[place] for place in order)
    )


def exchanged_order[Thing](things: Sequence[Thing], exchanged: tuple[int, int] = EXCHANGED) -> list[Thing]:
    """The things with two places exchanged.

    Example:
        >>> exchanged_order("abcd")
        ['a', 'c', 'b', 'd']
    """
    order = list(things)
    one, other = exchanged
    order[one], order[other] = order[other], order[one]
    return order
