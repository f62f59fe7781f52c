"""What is asked of every check: one name everywhere, a whole page, sound data clean, its own fault found."""

import importlib
import inspect
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.diagnosis.runner import check_names, checks_reading, load_check, read_page, run_checks

HERE = Path(__file__).parent
HEADINGS = ["What it detects", "Why it matters", "How it decides", "What can fool it", "How to fix it"]


def module_of(name):
    return name.replace("-", "_")


def faults_of_datasets():
    """Those faults that are put into a dataset, by the name of their check."""
    for name in checks_reading({"dataset"}):
        fault = getattr(faults, module_of(name))
        assert next(iter(inspect.signature(fault).parameters)) == "dataset", name
        yield pytest.param(fault, name, id=name)


@pytest.mark.parametrize("name", check_names())
def test_one_name_leads_everywhere(name):
    module = importlib.import_module(f"regrasp.checks.{module_of(name)}")
    assert hasattr(module, module_of(name)), "no function of the file's name"
    assert callable(getattr(faults, module_of(name))), "no fault of that name"
    assert (HERE / f"test_{module_of(name)}.py").is_file(), "no tests of that name"
    assert load_check(name), "nothing registered"


@pytest.mark.parametrize("name", check_names())
def test_the_page_is_whole(name):
    title, *rest = read_page(name).splitlines()
    assert title.endswith(".")
    assert [line[3:] for line in rest if line.startswith("## ")] == HEADINGS
    sections = "\n".join(rest).split("## ")[1:]
    assert all(len(section.splitlines()[1].strip()) > 20 for section in sections), "an empty section"


@pytest.mark.parametrize("name", check_names())
def test_a_missing_input_leaves_it_undecided(name):
    for check in load_check(name):
        result = run_checks(dict.fromkeys(check.inputs), only=[name])
        assert (result.findings, result.clean) == ((), ())
        assert result.undecided == ((name, f"needs a {' and a '.join(check.inputs)}"),)


def test_checks_explain_others_by_their_names_and_never_in_a_circle():
    explains = {
        name: {other for check in load_check(name) for other in check.explains} for name in check_names()
    }
    assert set().union(*explains.values()) <= set(check_names())
    TopologicalSorter(explains).prepare()  # raises CycleError


@pytest.mark.parametrize("seed", range(4))
def test_sound_data_is_clean(seed):
    result = run_checks({"dataset": sound_dataset(seed)})
    assert result.clean == checks_reading({"dataset"})
    assert (result.findings, result.undecided) == ((), ())


@pytest.mark.parametrize(("fault", "name"), faults_of_datasets())
def test_its_own_fault_is_found_and_sets_off_no_other_check(fault, name, dataset):
    result = run_checks({"dataset": fault(dataset)})
    assert {finding.check for finding in result.findings} == {name}
    assert result.undecided == ()


@pytest.mark.parametrize(("fault", "name"), faults_of_datasets())
def test_a_finding_gives_place_number_limit_and_next_step(fault, name, dataset):
    for finding in run_checks({"dataset": fault(dataset)}, only=[name]).findings:
        assert finding.severity is not None
        assert finding.summary.endswith(".")
        assert any(evidence.limit is not None for evidence in finding.evidence)
        assert finding.fix.summary.endswith(".")


@pytest.mark.parametrize(("fault", "name"), faults_of_datasets())
def test_a_fault_leaves_the_sound_dataset_as_it_was(fault, name, dataset):
    fault(dataset)
    assert run_checks({"dataset": dataset}, only=[name]).clean == (name,)
