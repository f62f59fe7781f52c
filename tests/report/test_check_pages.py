"""The catalogue's pages in docs/checks are those of the code."""

from pathlib import Path

from regrasp.report.check_pages import write_check_pages

DOCS = Path(__file__).parents[2] / "docs" / "checks"


def test_the_pages_in_docs_are_those_of_the_checks(tmp_path):
    write_check_pages(tmp_path)
    assert {page.name: page.read_text() for page in DOCS.iterdir()} == {
        page.name: page.read_text() for page in tmp_path.iterdir()
    }, "run `regrasp checks --pages docs/checks`"


def test_a_page_of_a_check_that_is_no_more_is_taken_away(tmp_path):
    (tmp_path / "gone.md").write_text("old")
    assert write_check_pages(tmp_path) == tmp_path / "README.md"
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "nan-values.md").read_text().startswith("# nan-values\n\nA number in the tables")
