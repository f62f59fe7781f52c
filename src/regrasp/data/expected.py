"""Deliberate oddities of a dataset, declared by its owner in `meta/regrasp_expected.yaml`.

```yaml
- check: scattered-starts
  reason: recorded from anywhere on purpose
- check: idle-stretches
  episodes: [3, 7]
  reason: the operator waits for the belt
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    import yaml

    entries: list[dict[str, object]] = []
    for entry in declared:
        left = [numbers[number] for number in entry.episodes if number in numbers]
        if left or not entry.episodes:
            told: dict[str, object] = {"check": entry.check, "reason": entry.reason}
            entries.append(told | ({"episodes": left} if left else {}))
    write_text(folder / FILE, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))


_EXPECTED = (
    "expected a list of entries with 'check' and 'reason', and 'episodes' where it is not all of them; "
    "try '- check: scattered-starts' and, indented below it, 'reason: started anywhere on purpose'."
)
