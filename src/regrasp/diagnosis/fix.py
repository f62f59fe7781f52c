"""The next step that a finding proposes: data that a person or `regrasp fix` carries out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fix:
    """What to do, in a sentence, and the command that does it where one does."""

    summary: str
    command: str | None = None

    def to_json(self) -> dict[str, object]:
        """As it stands in a finding's JSON."""
        return {"summary": self.summary, "command": self.command}
