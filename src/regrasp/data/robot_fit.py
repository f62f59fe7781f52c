"""Whether a policy can run on a station's robot at all: its joints and its cameras."""

from collections.abc import Sequence

from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract import Contract
from regrasp.data.episode import camera_name
from regrasp.data.station import Station
from regrasp.errors import CheckpointError


def misfits(policy: Checkpoint | Contract, station: Station) -> tuple[str, ...]:
    """Why a policy cannot run on a station, one sentence each: other joints, or a missing camera.

    Of a robot that is not of the SO-101's kind the joints are unknown until it is connected, so only
    its cameras are compared.
    """
    reasons = [*_joint_misfits(policy, station)]
    for key in _camera_keys(policy):
        if camera_name(key) not in station.camera_names:
            has = ", ".join(station.camera_names) or "none"
            reasons.append(
                f"The policy looks through camera '{camera_name(key)}', and station '{station.name}' has "
                f"{has}."
            )
    return tuple(reasons)


def require_joints(policy: Checkpoint | Contract, station: Station) -> None:
    """Refuse a policy of another robot by its joints alone; preflight judges the cameras."""
    _refuse(_joint_misfits(policy, station), station)


def _refuse(reasons: Sequence[str], station: Station) -> None:
    if reasons:
        raise CheckpointError(
            f"Found a checkpoint that does not fit station '{station.name}': {reasons[0]} Expected one "
            "trained on this robot; try another checkpoint or another station."
        )


def _joint_misfits(policy: Checkpoint | Contract, station: Station) -> list[str]:
    names = station.joint_names
    if names is None:
        return []
    if isinstance(policy, Checkpoint):
        if policy.joint_count in (None, len(names)):
            return []
        return [
            f"The policy moves {policy.joint_count} joints, and robot '{station.robot_type}' has "
            f"{len(names)}."
        ]
    trained = tuple(joint.name for joint in policy.joints)
    if sorted(trained) == sorted(names):  # another order is found by `changed-joint-order`
        return []
    return [
        f"The policy moves {', '.join(trained)}, and robot '{station.robot_type}' has {', '.join(names)}."
    ]


def _camera_keys(policy: Checkpoint | Contract) -> tuple[str, ...]:
    if isinstance(policy, Checkpoint):
        return policy.camera_keys
    return tuple(camera.key for camera in policy.cameras)
