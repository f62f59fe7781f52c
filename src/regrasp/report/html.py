"""One self-contained page: sections of figures, pictures, clips, findings and verdicts. Nothing is loaded.

```python
write_report([success_section({"healthy": Rate(19, 20)}), diagnosis_section(diagnosis)], Path("report.html"))
```

A section is a title, a line and blocks (`report.blocks`); `report.sections` makes the usual ones, and any may be put
together by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from regrasp.data.atomic import write_bytes
from regrasp.report.blocks import Block, FigureBlock, Section
from regrasp.stats import Rate


def write_report(
    sections: Iterable[Section],
    out: str | Path,
    *,
    title: str = "Regrasp report",
    subtitle: str = "",
    facts: Mapping[str, str | Rate] | None = None,
) -> Path:
    """Write the page, whole or not at all; gives its path. `facts` are tiles under the title."""
    path = Path(out)
    write_bytes(path, render(sections, title=title, subtitle=subtitle, facts=facts).encode())
    return path


def render(
    sections: Iterable[Section],
    *,
    title: str = "Regrasp report",
    subtitle: str = "",
    facts: Mapping[str, str | Rate] | None = None,
) -> str:
    """The page's source. Plotly's script is in it once, and only when there is something to draw."""
    from importlib.metadata import version

    from jinja2 import Environment, FileSystemLoader

    numbered = _numbered(sections)
    drawn = any(isinstance(block, FigureBlock) for section in numbered for block in section.blocks)
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return templates.get_template("page.html.j2").render(
        sections=numbered,
        title=title,
        subtitle=subtitle,
        facts=[(label, str(value)) for label, value in (facts or {}).items()],
        plotly=_plotly() if drawn else "",
        footer=f"Regrasp {version('regrasp')}. Intervals: Wilson, 95 %. Nothing is loaded from elsewhere.",
    )


def _numbered(sections: Iterable[Section]) -> list[Section]:
    """Sections whose figures have numbers, by which the page's script finds them."""
    numbers = iter(range(1, 10_000))

    def number(block: Block) -> Block:
        return replace(block, number=next(numbers)) if isinstance(block, FigureBlock) else block

    return [replace(section, blocks=tuple(number(block) for block in section.blocks)) for section in sections]


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: Any = get_plotlyjs()
    return str(script)
