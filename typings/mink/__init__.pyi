"""Its own annotations leave arrays unknown; here everything in it may be anything."""

from typing import Any

def __getattr__(name: str) -> Any: ...
