"""The catalogue as Markdown: one page for each check, and a list of them."""

from pathlib import Path

from regrasp.data.atomic import write_text
from regrasp.diagnosis.runner import check_names, read_page

HEAD = """# What Regrasp recognises

Each page is the docstring of the check's file in `src/regrasp/checks/`, written by `regrasp checks --pages docs/checks`.
`regrasp explain NAME` shows the same on a terminal.

"""


def write_check_pages(folder: Path) -> Path:
    """Write them and take away pages of checks that are no more; gives the list's path."""
    pages = {f"{name}.md": f"# {name}\n\n{read_page(name)}\n" for name in check_names()}
    pages["README.md"] = HEAD + "".join(
        f"- [{name}]({name}.md): {read_page(name).splitlines()[0]}\n" for name in check_names()
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_text(folder / name, text)
    for stale in set(folder.glob("*.md")) - {folder / name for name in pages}:
        stale.unlink()
    return folder / "README.md"
