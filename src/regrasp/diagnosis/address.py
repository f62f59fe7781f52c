"""What a printed command calls the checkpoint, the station and the rollouts of the person who reads it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from regrasp.data.fault_text import fault_name, split_faults, without_faults
from regrasp.diagnosis.finding import Finding


@dataclass(frozen=True)
class Address:
    """What a printed command calls things: the checkpoint, the station, the next rollouts.

    `options` are those that the run at fault was given, by name without dashes (`area`, `starts`, `cameras`);
    a command that puts something right repeats them, with its own in their place. A `fault` that was put into the
    twin on purpose is left out by the command of the cause that bears its name, unless that has an option of its
    own against it: what is put right by hand on a desk.
    """

    checkpoint: str = "CHECKPOINT"
    station: str = "STATION"
    out: str = "NEW"
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    def fill(self, *commands: str) -> str:
        """One command that does what all the given ones do.

        Cameras that were exchanged on the command line already are exchanged once more: twice is not at all.

        Example:
            >>> address = Address("runs/act", "desk.yaml", "again", {"cameras": "front=wrist,wrist=front"})
            >>> address.fill("regrasp rollout CHECKPOINT --station STATION --cameras front=wrist,wrist=front")
            'regrasp rollout runs/act --station desk.yaml --out again'
        """
        options = dict(self.options)
        for command in commands:
            words = shlex.split(command)
            for name, value in zip(words[5::2], words[6::2], strict=True):
                plain = name.removeprefix("--")
                options[plain] = _composed(options.get(plain), value) if plain == "cameras" else value
        given = [word for name, value in options.items() if value for word in (f"--{name}", value)]
        words = ["regrasp", "rollout", self.checkpoint, "--station", self.station, *given, "--out", self.out]
        return shlex.join(words)

    def remedy(self, *causes: tuple[str, str | None]) -> str | None:
        """One command that puts right all causes, each a name and its command; None when none has any.

        Example:
            >>> address = Address("runs/act", "twin", "again", {"fault": "dark-camera;inverted-gripper"})
            >>> address.remedy(("dark-camera", None), ("changed-light", None))
            'regrasp rollout runs/act --station twin --fault inverted-gripper --out again'
        """
        commands = [command for _, command in causes if command is not None]
        injected = {fault_name(fault) for fault in split_faults(self.options.get("fault", ""))}
        by_hand = [name for name, command in causes if name in injected and not _has_options(command)]
        if not commands and not by_hand:
            return None
        left = without_faults(self.options.get("fault", ""), by_hand)
        return replace(self, options={**self.options, "fault": left}).fill(*commands)


def _has_options(command: str | None) -> bool:
    """Whether a command changes anything by itself."""
    return command is not None and len(shlex.split(command)) > 5


def _composed(before: str | None, then: str) -> str:
    """The exchange of cameras that comes of one after the other; "" when they undo each other."""
    if not before:
        return then
    from regrasp.data.station import parse_permutation  # brings Pydantic, which quick verbs do without

    first, second = parse_permutation(before), parse_permutation(then)
    both = {name: first.get(source := second.get(name, name), source) for name in {**first, **second}}
    return ",".join(f"{name}={source}" for name, source in both.items() if name != source)


def addressed(finding: Finding, address: Address) -> Finding:
    """The finding with its command filled in."""
    command = address.remedy((finding.check, finding.fix.command))
    return finding if command is None else replace(finding, fix=replace(finding.fix, command=command))
