"""What a page is made of: sections of drawings, pictures, clips, verdicts, findings and tables."""

import json
from dataclasses import dataclass
from typing import ClassVar, Literal

from regrasp.report.figures import Figure
from regrasp.report.json import finite

Tone = Literal["", "good", "bad"]


@dataclass(frozen=True)
class FigureBlock:
    """A drawing. `half` blocks stand two in a row where there is room; a `wide` one scrolls on a phone."""

    figure: Figure
    half: bool = False
    number: int = 0
    wide: bool = False
    kind: ClassVar[str] = "figure"

    @property
    def json(self) -> str:
        """The drawing as it stands in the page's source, where "</" would end it."""
        return json.dumps(finite(self.figure.spec), separators=(",", ":")).replace("</", "<\\/")


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI, and what it shows."""

    uri: str
    caption: str


@dataclass(frozen=True)
class PicturesBlock:
    """Pictures side by side."""

    pictures: tuple[Picture, ...]
    title: str = ""
    caption: str = ""
    half: bool = False
    kind: ClassVar[str] = "pictures"


@dataclass(frozen=True)
class ClipBlock:
    """A film; `poster` is the picture that shows before it plays."""

    uri: str
    poster: str
    title: str = ""
    caption: str = ""
    half: bool = True
    kind: ClassVar[str] = "clip"


@dataclass(frozen=True)
class VerdictBlock:
    """An answer, in large; the lines that speak for it; the command that follows from it."""

    headline: str
    lines: tuple[str, ...] = ()
    command: str | None = None
    tone: Tone = ""
    half: bool = False
    kind: ClassVar[str] = "verdict"


@dataclass(frozen=True)
class Row:
    """One finding: a tag in its tone, a sentence, the numbers, the command."""

    tag: str
    text: str
    tone: str = ""
    evidence: str = ""
    command: str | None = None


@dataclass(frozen=True)
class FindingsBlock:
    """Findings, one under the other."""

    rows: tuple[Row, ...]
    title: str = ""
    half: bool = False
    kind: ClassVar[str] = "findings"


@dataclass(frozen=True)
class TableBlock:
    """A table of text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    half: bool = False
    kind: ClassVar[str] = "table"


type Block = FigureBlock | PicturesBlock | ClipBlock | VerdictBlock | FindingsBlock | TableBlock


@dataclass(frozen=True)
class Section:
    """A card of the page. `tone` colours its upper edge."""

    title: str
    blocks: tuple[Block, ...]
    lead: str = ""
    tone: Tone = ""
