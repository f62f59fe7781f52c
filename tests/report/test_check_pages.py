"""The catalogue's pages in docs/checks are those of the code."""

from pathlib import Path

import pytest

from regrasp.errors import UsageError
from regrasp.report.check_pages import write_check_pages

DOCS = Path(__file__).parents[2] / "docs" / "checks"


def test_the_pages_in_docs_are_those_of_the_checks(tmp_path):
    write_check_pages(tmp_path)
    assert {page.name: page.read_text() for page in DOCS.iterdir()} == {
        page.name: page.read_text() for page in tmp_path.iterdir()
    }, "run `regrasp checks --pages docs/checks`"


def test_a_page_of_a_check_that_is_no_more_is_taken_away(tmp_path):
    (tmp_path / "gone.md").write_text("# gone\n\nIt was.\n\n## What it detects\nNothing.\n")
    (tmp_path / "notes.md").write_text("# notes\n\nMy own.\n")
    assert write_check_pages(tmp_path) == tmp_path / "README.md"
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "notes.md").exists()
    assert (tmp_path / "nan-values.md").read_text().startswith("# nan-values\n\nA number in the tables")


def test_a_folder_with_a_readme_of_somebody_else_s_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(UsageError, match="which is not the list of these pages"):
        write_check_pages(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
