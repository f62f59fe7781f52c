"""MuJoCo's compiled modules tell no types: everything in it may be anything."""

from typing import Any

def __getattr__(name: str) -> Any: ...
