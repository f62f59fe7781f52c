"""Results as one JSON object, laid out as the design lays it down."""

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol


class Reportable(Protocol):
    """A result that knows its JSON: an audit, a preflight, a diagnosis."""

    def to_json(self) -> dict[str, object]:
        """What goes into the file, as plain dicts, lists, strings and finite numbers."""
        ...


def json_line(values: Mapping[str, Any]) -> str:
    """One JSON object in a line, as `--json` prints it; what is no finite number is null."""
    return json.dumps(finite(values), allow_nan=False)


def finite(value: Any) -> Any:
    """The same with null for each number that is not finite, which JSON does not have."""
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(result: Reportable) -> str:
    """One JSON object in UTF-8, indented; never NaN or infinity, which JSON does not have."""
    return json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
