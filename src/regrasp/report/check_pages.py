"""The catalogue as Markdown: one page for each check, and a list of them."""

from pathlib import Path

from regrasp.data.atomic import write_text
from regrasp.diagnosis.runner import check_names, read_page
from regrasp.errors import UsageError

TITLE = "# What Regrasp recognises"

HEAD = f"""{TITLE}

Each page is the docstring of the check's file in `src/regrasp/checks/`, written by `regrasp checks --pages docs/checks`.
`regrasp explain NAME` shows the same on a terminal.

"""


def write_check_pages(folder: Path) -> Path:
    """Write them and take away pages of checks that are no more; gives the list's path.

    Raises:
        UsageError: The folder holds a README.md of somebody else's.
    """
    listed = folder / "README.md"
    if listed.exists() and not listed.read_text(encoding="utf-8", errors="replace").startswith(TITLE):
        raise UsageError(
            f"Found {listed}, which is not the list of these pages; expected a folder of their own. Choose another with "
            "--pages."
        )
    pages = {f"{name}.md": f"# {name}\n\n{read_page(name)}\n" for name in check_names()}
    pages["README.md"] = HEAD + "".join(
        f"- [{name}]({name}.md): {read_page(name).splitlines()[0]}\n" for name in check_names()
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_text(folder / name, text)
    for stale in set(folder.glob("*.md")) - {folder / name for name in pages}:
        text = stale.read_text(encoding="utf-8", errors="replace")
        if text.startswith(f"# {stale.stem}\n") and "## What it detects" in text:
            stale.unlink()
    return folder / "README.md"
