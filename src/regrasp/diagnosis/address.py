"""What a printed command calls the checkpoint, the station and the rollouts of the person who reads it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from regrasp.diagnosis.finding import Finding


@dataclass(frozen=True)
class Address:
    """What a printed command calls things: the checkpoint, the station, the next rollouts.

    `options` are those that the run at fault was given, by name without dashes (`area`, `starts`, `cameras`);
    a command that puts something right repeats them, with its own in their place.
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
    if finding.fix.command is None:
        return finding
    return replace(finding, fix=replace(finding.fix, command=address.fill(finding.fix.command)))
