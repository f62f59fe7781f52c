"""What a printed command calls the checkpoint, the station and the rollouts of the person who reads it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from regrasp.data.fault_text import fault_name, split_faults, without_faults
from regrasp.diagnosis.finding import Finding


@dataclass(frozen=True)
class Address:
    """What a printed command calls things: the checkpoint, the station, the next rollouts, the training data.

    `options` are those that the run at fault was given, by name without dashes (`area`, `starts`, `cameras`);
    a command that puts something right repeats them, with its own in their place. A `fault` that was put into the
    twin on purpose is left out by the command of the cause that bears its name, unless that has an option of its
    own against it: what is put right by hand on a desk. `allowed` are the checks that the run at fault was let go in
    spite of; a command allows them too, but for those that it puts right.
    """

    checkpoint: str = "CHECKPOINT"
    station: str = "STATION"
    out: str = "NEW"
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    train: str = "TRAIN"
    allowed: tuple[str, ...] = ()

    def fill(self, *commands: str) -> str:
        """One command that does what all the given ones do.

        Cameras that were exchanged on the command line already are exchanged once more: twice is not at all. A
        command that is no rollout comes before the rollout, and a checkpoint that it makes is rolled out.

        Example:
            >>> address = Address("runs/act", "desk.yaml", "again", {"cameras": "front=wrist,wrist=front"})
            >>> address.fill("regrasp rollout CHECKPOINT --station STATION --cameras front=wrist,wrist=front")
            'regrasp rollout runs/act --station desk.yaml --out again'
            >>> again = "regrasp rollout CHECKPOINT_2 --station STATION"
            >>> Address("a").fill(f"regrasp train TRAIN --out CHECKPOINT_2 && {again}")
            'regrasp train TRAIN --out a_2 && regrasp rollout a_2 --station STATION --out NEW'
        """
        commands = tuple(step for command in commands for step in steps_of(command))
        first = [self._named(command) for command in commands if not is_rollout(command)]
        again = [command for command in commands if is_rollout(command)]
        if again or not first:
            options = self._with(again)
            given = [word for name, value in options.items() if value for word in _as_words(name, value)]
            given += [word for name in self.allowed for word in ("--allow", name)]
            words = [
                "regrasp",
                "rollout",
                self._checkpoint_of(again),
                "--station",
                self.station,
                *given,
                "--out",
                self.out,
            ]
            first.append(shlex.join(words))
        return " && ".join(dict.fromkeys(first))

    def remedy(self, *causes: tuple[str, str | None]) -> str | None:
        """One command that puts right all causes, each a name and its command; None when none has any.

        Example:
            >>> address = Address("runs/act", "twin", "again", {"fault": "dark-camera;inverted-gripper"})
            >>> address.remedy(("dark-camera", None), ("changed-light", None))
            'regrasp rollout runs/act --station twin --fault inverted-gripper --out again'
        """
        commands = [command for _, command in causes if command is not None]
        injected = {fault_name(fault) for fault in split_faults(self.options.get("fault", ""))}
        if not commands and not injected & {name for name, _ in causes}:
            return None
        put_right = {name for name, _ in causes}
        allowed = tuple(name for name in self.allowed if name not in put_right)
        return replace(self._without(causes), allowed=allowed).fill(*commands)

    def options_after(self, *causes: tuple[str, str | None]) -> dict[str, str]:
        """Options of the run that `remedy` prints, by name without dashes."""
        commands = [command for _, command in causes if command is not None and is_rollout(command)]
        return self._without(causes)._with(commands)

    def _without(self, causes: Sequence[tuple[str, str | None]]) -> "Address":
        """Without the faults that were put in on purpose and that a person puts right by hand."""
        if "fault" not in self.options:
            return self
        by_hand = [name for name, command in causes if is_by_hand(command)]
        left = without_faults(self.options["fault"], by_hand)
        return replace(self, options={**self.options, "fault": left})

    def _with(self, commands: Sequence[str]) -> dict[str, str]:
        """Options of the run at fault, with those of the commands in their place."""
        options = dict(self.options)
        for command in commands:
            for name, value in given_in(command):
                options.pop(name.removeprefix("no-") if name.startswith("no-") else f"no-{name}", None)
                options[name] = _composed(options.get(name), value) if name == "cameras" else value
        return options

    def _named(self, command: str) -> str:
        """Another command, with the names of this address in it."""
        return shlex.join(self._called(word) for word in shlex.split(command))

    def _called(self, word: str) -> str:
        """A word with the name of a thing for its placeholder; what is made of it lies beside it: `TRAIN_fixed`."""
        names = {
            "CHECKPOINT": self.checkpoint,
            "STATION": self.station,
            "NEW": self.out,
            "TRAIN": self.train,
        }
        for placeholder, name in names.items():
            if word == placeholder or word.startswith(f"{placeholder}_"):
                return name.rstrip("/") + word.removeprefix(placeholder)
        return word

    def _checkpoint_of(self, rollouts: Sequence[str]) -> str:
        """The checkpoint that is rolled out: another one where a command names it."""
        named = [shlex.split(command)[2] for command in rollouts]
        return self._called(next((one for one in named if one != "CHECKPOINT"), "CHECKPOINT"))


def steps_of(command: str) -> tuple[str, ...]:
    """The commands of which one consists that was put together with `&&`.

    Example:
        >>> steps_of("regrasp merge A B --into C && regrasp rollout D")
        ('regrasp merge A B --into C', 'regrasp rollout D')
    """
    steps: list[list[str]] = [[]]
    for word in shlex.split(command):
        if word == "&&":
            steps.append([])
        else:
            steps[-1].append(word)
    return tuple(shlex.join(step) for step in steps)


def is_rollout(command: str) -> bool:
    """Whether a command rolls out; several of them can be put together."""
    return command.startswith("regrasp rollout ")


def is_by_hand(command: str | None) -> bool:
    """Whether a cause is put right by a person: no command changes anything by itself."""
    return command is None or command == AGAIN


AGAIN = "regrasp rollout CHECKPOINT --station STATION"
"""What is run once somebody has put a station right by hand."""


FLAGS = frozenset({"handover", "no-handover", "home", "no-home", "rtc"})
"""Options of `regrasp rollout` that no value follows."""


def given_in(command: str) -> Iterator[tuple[str, str]]:
    """Options of `regrasp rollout CHECKPOINT --station STATION ...`: name without dashes, value.

    A flag, which no value follows, has its own name for a value (`--home` is "home": "home").
    """
    words = shlex.split(command)[5:]
    for place, word in enumerate(words):
        if word.startswith("--"):
            after = words[place + 1] if place + 1 < len(words) else "--"
            name = word.removeprefix("--")
            yield name, name if name in FLAGS or after.startswith("--") else after


def _as_words(name: str, value: str) -> tuple[str, ...]:
    return (f"--{name}",) if name in FLAGS else (f"--{name}", value)


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
