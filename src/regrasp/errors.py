"""What Regrasp raises on purpose, and the exit code that each becomes.

```text
RegraspError        2   could not run
├── UsageError      2   an option or an argument makes no sense
├── DatasetError    2   a dataset cannot be read or written
├── CheckpointError 2   a checkpoint cannot be read or run
├── ContractError   2   a contract cannot be read, or does not fit its checkpoint
├── StationError    2   a station file cannot be read, or names what does not exist
├── MissingExtra    2   a library that this verb needs is not installed
└── DeviceError     3   a robot, camera or display failed while running
```

A message says what was found, where, what was expected, and what to try.
"""


class RegraspError(Exception):
    """The root of all errors that a user may see: one clear sentence, no traceback."""

    exit_code = 2


class UsageError(RegraspError):
    """An option or an argument makes no sense."""


class DatasetError(RegraspError):
    """A dataset cannot be read or written."""


class CheckpointError(RegraspError):
    """A checkpoint cannot be read or run."""


class ContractError(RegraspError):
    """A contract cannot be read, or does not fit its checkpoint."""


class StationError(RegraspError):
    """A station file cannot be read, or names what does not exist."""


class MissingExtra(RegraspError):  # noqa: N818 - reads as a state
    """A library or system package that this verb needs is not installed."""


class DeviceError(RegraspError):
    """A robot, camera or display failed while running."""

    exit_code = 3


def first_line(error: BaseException) -> str:
    """What an error of a library says first, without a full stop; its name where it says nothing.

    Example:
        >>> first_line(ValueError("no such joint.")), first_line(KeyError())
        ('no such joint', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
