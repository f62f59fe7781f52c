"""A station whose robot reports its joints in another order."""

from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView


def changed_joint_order(live: LiveView, *, exchanged: tuple[int, int] = (1, 2)) -> LiveView:
    """The same, with two joints exchanged, name and value."""
    order = list(range(len(live.joint_names)))
    one, other = exchanged
    order[one], order[other] = order[other], order[one]
    return replace(
        live, joints=live.joints[order], joint_names=tuple(live.joint_names[place] for place in order)
    )
