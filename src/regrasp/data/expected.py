"""Deliberate oddities of a dataset, declared by its owner in `meta/regrasp_expected.yaml`.

```yaml
- check: scattered-starts
  reason: recorded from anywhere on purpose
- check: idle-stretches
  episodes: [3, 7]
  reason: the operator waits for the belt
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from regrasp.data.atomic import write_text
from regrasp.errors import DatasetError

FILE = Path("meta") / "regrasp_expected.yaml"


@dataclass(frozen=True)
class Expected:
    """One check whose findings are meant to be there; in these episodes, or in any when none are named."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    check: str
    reason: str
    episodes: tuple[int, ...] = ()

    def covers(self, check: str, episodes: tuple[int, ...]) -> bool:
        """Whether a finding of this check in these episodes is expected."""
        named = not self.episodes or (bool(episodes) and set(episodes) <= set(self.episodes))
        return check == self.check and named


def read_expected(folder: Path) -> tuple[Expected, ...]:
    """What the dataset's owner has declared; nothing where there is no file."""
    path = folder / FILE
    if not path.is_file():
        return ()
    import yaml
    from pydantic import TypeAdapter, ValidationError

    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = TypeAdapter(tuple[Expected, ...]).validate_python(declared or ())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DatasetError(f"Found {place}: {first['msg'].lower()} in {path}; {_EXPECTED}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DatasetError(f"Found no valid YAML in {path}; {_EXPECTED}") from error
    if not all(entry.reason.strip() for entry in entries):
        raise DatasetError(f"Found an entry without a reason in {path}; {_EXPECTED}")
    return entries


def renumber_expected(folder: Path, numbers: Mapping[int, int]) -> None:
    """Write what was declared with new numbers of episodes, old -> new; entries of which none is left go."""
    declared = read_expected(folder)
    if not any(entry.episodes for entry in declared):
        return
    entries: list[Expected] = []
    for entry in declared:
        left = tuple(numbers[number] for number in entry.episodes if number in numbers)
        if left or not entry.episodes:
            entries.append(replace(entry, episodes=left))
    write_expected(folder, entries)


def write_expected(folder: Path, entries: Iterable[Expected]) -> None:
    """Declare these, in place of what was declared."""
    import yaml

    told = [
        {"check": one.check, "reason": one.reason}
        | ({"episodes": list(one.episodes)} if one.episodes else {})
        for one in entries
    ]
    write_text(folder / FILE, yaml.safe_dump(told, sort_keys=False, allow_unicode=True))


def of_parts(parts: Sequence[tuple[tuple[Expected, ...], range]]) -> tuple[Expected, ...]:
    """What is declared of a whole: of each part what was declared of it, under the numbers that its episodes have now.

    What every part declares of all its episodes stays declared of all.
    """
    of_all = [{one.check: one for one in declared if not one.episodes} for declared, _ in parts]
    common = set[str].intersection(*(set(one) for one in of_all)) if of_all else set[str]()
    found = [one for check, one in (of_all[0].items() if of_all else ()) if check in common]
    for declared, numbers in parts:
        for one in declared:
            if one.episodes:
                now = tuple(numbers[old] for old in one.episodes if old < len(numbers))
                found.append(replace(one, episodes=now))
            elif one.check not in common:
                found.append(replace(one, episodes=tuple(numbers)))
    return tuple(one for one in found if one.episodes or one.check in common)


_EXPECTED = (
    "expected a list of entries with 'check' and 'reason', and 'episodes' where it is not all of them; "
    "try '- check: scattered-starts' and, indented below it, 'reason: started anywhere on purpose'."
)
