"""What a policy that was trained elsewhere calls the cameras of this dataset: LeRobot's `rename_map`.

SmolVLA's base knows `camera1`, `camera2` and `camera3`; a station has `front` and `wrist`. LeRobot wants the names typed
at each training and each deployment, and never compares the two.
"""

from collections.abc import Mapping, Sequence

from regrasp.data.episode import IMAGE_PREFIX, camera_name
from regrasp.errors import UsageError


def rename_map(
    own: Sequence[str], policy: Sequence[str], told: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Camera keys of the dataset -> those of the policy; empty where they agree as they are.

    Args:
        own: Keys of the dataset's cameras, in order.
        policy: Keys that the policy knows, in order. Those left over are not fed.
        told: Names that a station or an earlier training gives, camera -> name.

    Cameras that are not told of keep their name where the policy has it; the others take the policy's free places in
    order.

    Raises:
        UsageError: The policy has no place for a camera, or none of the name that was told.

    Example:
        >>> rename_map(["observation.images.front"], ["observation.images.camera1", "observation.images.camera2"])
        {'observation.images.front': 'observation.images.camera1'}
    """
    told = {_key(name): _key(wanted) for name, wanted in (told or {}).items() if _key(name) in own}
    if not policy or (not told and (set(own) <= set(policy) or set(policy) <= set(own))):
        return {}
    strange = [wanted for wanted in told.values() if wanted not in policy]
    if strange:
        raise UsageError(
            f"The policy has no camera '{camera_name(strange[0])}'; it has {_names(policy)}. Put the station's "
            "policy_names right."
        )
    found = dict(told)
    found |= {key: key for key in own if key not in found and key in policy and key not in found.values()}
    free = [key for key in policy if key not in found.values()]
    left = [key for key in own if key not in found]
    if len(left) > len(free):
        raise UsageError(
            f"The dataset has the cameras {_names(own)}, and the policy knows {_names(policy)}: there is no place for "
            f"'{camera_name(left[len(free)])}'. Expected no more cameras than the policy has; train on fewer of them."
        )
    found |= dict(zip(left, free, strict=False))
    return {key: found[key] for key in own}


def described(names: Mapping[str, str]) -> str:
    """In words, for a person.

    Example:
        >>> described({"observation.images.front": "observation.images.camera1"})
        'front is camera1'
    """
    return ", ".join(f"{camera_name(key)} is {camera_name(name)}" for key, name in names.items())


def _key(name: str) -> str:
    return name if name.startswith("observation.") else f"{IMAGE_PREFIX}{name}"


def _names(keys: Sequence[str]) -> str:
    return ", ".join(camera_name(key) for key in keys)
