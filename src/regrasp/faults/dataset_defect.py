"""A training whose demonstrations have a defect in some episodes."""

from collections.abc import Callable
from dataclasses import replace

from regrasp.data.dataset import Dataset
from regrasp.diagnosis.trained import Training
from regrasp.faults.inverted_gripper import inverted_gripper


def dataset_defect(training: Training, *, defect: Callable[[Dataset], object] = inverted_gripper) -> Training:
    """The same on data with a `defect`, which is put into a dataset."""
    data = defect(training.dataset)
    assert isinstance(data, Dataset), "a defect of a dataset"
    return replace(training, dataset=data)
