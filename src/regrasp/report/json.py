"""Results as one JSON object, laid out as the design lays it down."""

import json
from typing import Protocol


class Reportable(Protocol):
    """A result that knows its JSON: an audit, a preflight, a diagnosis."""

    def to_json(self) -> dict[str, object]:
        """What goes into the file, as plain dicts, lists, strings and finite numbers."""
        ...


def json_text(result: Reportable) -> str:
    """One JSON object in UTF-8, indented; never NaN or infinity, which JSON does not have."""
    return json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
