"""How faults of a station are written: `NAME`, or `NAME:option=value,option=value`, several with `;` between."""

from collections.abc import Iterable, Mapping

from regrasp.errors import UsageError


def split_faults(text: str) -> tuple[str, ...]:
    """Each fault of a text by itself. Those without options may have commas between.

    Example:
        >>> split_faults("dark-camera,unit-mismatch; calibration-offset:joint=1,degrees=12")
        ('dark-camera', 'unit-mismatch', 'calibration-offset:joint=1,degrees=12')
    """
    return tuple(fault for part in text.split(";") for fault in _of_part(part) if fault)


def parse_fault(text: str) -> tuple[str, dict[str, str]]:
    """Name and options of one fault, as they are written.

    Example:
        >>> parse_fault("calibration-offset:joint=1,degrees=12")
        ('calibration-offset', {'joint': '1', 'degrees': '12'})

    Raises:
        UsageError: An option has no value, or is given twice.
    """
    name, colon, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",")] if colon else []
    options = {option.strip(): value.strip() for option, _, value in pairs}
    if len(options) < len(pairs) or not all(option and value for option, value in options.items()):
        raise UsageError(
            f"Found fault '{text}'; expected NAME:OPTION=VALUE,OPTION=VALUE, and ';' between faults; "
            "try 'calibration-offset:joint=1,degrees=12;dark-camera'."
        )
    return name.strip(), options


def fault_text(name: str, options: Mapping[str, object]) -> str:
    """One fault as it is written.

    Example:
        >>> fault_text("late-inference", {"seconds": 0.5}), fault_text("inverted-gripper", {})
        ('late-inference:seconds=0.5', 'inverted-gripper')
    """
    written = ",".join(f"{option}={value}" for option, value in options.items())
    return f"{name}:{written}" if written else name


def without_faults(text: str, names: Iterable[str]) -> str:
    """The text without the faults of these names; "" when none is left.

    Example:
        >>> without_faults("dark-camera:light=0.1;late-inference", ["dark-camera"])
        'late-inference'
    """
    gone = set(names)
    return ";".join(fault for fault in split_faults(text) if fault_name(fault) not in gone)


def fault_name(text: str) -> str:
    """The name alone."""
    return text.partition(":")[0].strip()


def _of_part(part: str) -> list[str]:
    """What stands before the last name that has options are plain names."""
    head, colon, options = part.partition(":")
    *plain, last = [name.strip() for name in head.split(",")]
    return [*plain, f"{last}{colon}{options.strip()}"]
