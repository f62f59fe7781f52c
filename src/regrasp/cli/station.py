"""`regrasp station init`, `regrasp station show` and `regrasp station check`."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from regrasp.lerobot_bridge.hardware import Finders, Found, Picture

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Find ports and cameras and write them into one file; compare it with what is plugged in.",
)

StationPath = Annotated[str, typer.Argument(help="'twin', or a station.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.command()
def init(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("station.yaml"),
    port: Annotated[str | None, typer.Option(help="Serial port of the follower.")] = None,
    leader: Annotated[str | None, typer.Option(help="Serial port of the leader.")] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="A camera's name and path, front=/dev/video0; may be repeated.")
    ] = None,
    robot: Annotated[str, typer.Option(help="LeRobot's type of the follower.")] = "so101_follower",
    name: Annotated[str | None, typer.Option(help="Of the station, and of LeRobot's calibration.")] = None,
    fps: Annotated[int, typer.Option(min=1, max=200, help="Of cameras and control.")] = 30,
    width: Annotated[int, typer.Option(min=1, help="Of the pictures.")] = 640,
    height: Annotated[int, typer.Option(min=1, help="Of the pictures.")] = 480,
    task: Annotated[str | None, typer.Option(help="The instruction that is used when none is given.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file.")] = False,
) -> None:
    """Find ports and cameras, show a picture of each, and write the station file."""
    from regrasp.data.station import save_station
    from regrasp.errors import UsageError
    from regrasp.lerobot_bridge.hardware import station_of

    if out.exists() and not force:
        raise UsageError(f"{out} exists already; expected a new file. Choose another --out, or give --force.")
    finders = finders_in_use()
    follower = lasting(port, finders) if port else chosen_port(finders)
    named = (
        parsed_cameras(camera, finders)
        if camera
        else named_cameras(finders, out.with_name(f"{out.stem}_cameras"))
    )
    called = name or out.stem
    other = lasting(leader, finders) if leader else None
    size = (width, height)
    made = station_of(called, follower, named, robot=robot, leader=other, size=size, fps=fps, task=task)
    save_station(made, out)
    print(f"written to {out}; `regrasp station check {quote(str(out))}` compares it with what is plugged in")


@app.command()
def show(station: StationPath = "station.yaml", json: Json = False) -> None:
    """Print a station file."""
    from regrasp.data.station import load_station, station_text

    found = load_station(station)
    print(found.model_dump_json(indent=1) if json else station_text(found), end="\n" if json else "")


@app.command()
def check(station: StationPath = "station.yaml", json: Json = False) -> None:
    """Compare a station file with what is plugged in; nothing moves."""
    from regrasp.data.station import load_station
    from regrasp.lerobot_bridge.hardware import check_station

    found = load_station(station)
    plugs = [] if found.is_twin else check_station(found, finders_in_use())
    wrong = [plug for plug in plugs if plug.wrong]
    if json:
        from regrasp.report.json import json_line

        told = [{"what": plug.what, "written": plug.written, "wrong": plug.wrong or None} for plug in plugs]
        print(json_line({"station": found.name, "fits": not wrong, "plugs": told}))
    else:
        print("\n".join(map(str, plugs)) or "The twin needs no plugs.")
        print(f"{len(wrong)} of {len(plugs)} do not fit" if wrong else "Everything is as written.")
    if wrong:
        raise typer.Exit(1)


def finders_in_use() -> "Finders":
    """LeRobot's finders."""
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.hardware import lerobot_finders

    return lerobot_finders()


def lasting(port: str, finders: "Finders") -> str:
    """A port under the name that it keeps."""
    from regrasp.lerobot_bridge.hardware import SERIAL_LINKS, lasting_name

    return lasting_name(port, finders.devices / SERIAL_LINKS)


def chosen_port(finders: "Finders") -> str:
    """The follower's port: the only one, or the one that is chosen at the terminal."""
    from regrasp.errors import UsageError
    from regrasp.lerobot_bridge.hardware import find_ports

    found = find_ports(finders)
    if len(found) == 1:
        return found[0].lasting
    listed = ", ".join(one.lasting for one in found) or "none"
    if not found or not _asks():
        raise UsageError(
            f"Found {len(found)} serial ports ({listed}); expected one for the follower. Plug its USB cable in, or "
            "give --port."
        )
    return found[_choice("Which is the follower?", [one.lasting for one in found])].lasting


def parsed_cameras(given: "Sequence[str]", finders: "Finders") -> dict[str, str]:
    """Name -> lasting path, from `front=/dev/video0`."""
    from regrasp.data.station import parse_permutation
    from regrasp.errors import UsageError
    from regrasp.lerobot_bridge.hardware import VIDEO_LINKS, device_of, lasting_name

    named: dict[str, str] = {}
    for one in given:
        parsed = parse_permutation(one)
        twice = sorted(parsed.keys() & named.keys())
        if twice:
            raise UsageError(f"Found two cameras called '{twice[0]}'; expected a name of its own for each.")
        named |= parsed
    links = finders.devices / VIDEO_LINKS
    return {name: lasting_name(device_of(path, finders), links) for name, path in named.items()}


def named_cameras(finders: "Finders", pictures: Path) -> dict[str, str]:
    """Name -> lasting path, as they are named at the terminal beside a picture of each."""
    from regrasp.errors import UsageError
    from regrasp.lerobot_bridge.hardware import find_cameras

    found = find_cameras(finders)
    taken = saved_pictures(found, finders, pictures)
    if not _asks():
        listed = ", ".join(f"{one.lasting} (picture: {taken.get(one.device, 'none')})" for one in found)
        raise UsageError(
            f"Found {len(found)} cameras ({listed or 'none'}) and no terminal to ask which is which; give --camera "
            "front=PATH --camera wrist=PATH."
        )
    named: dict[str, str] = {}
    for one in found:
        print(f"{one.lasting}   {taken.get(one.device, 'gives no picture')}")
        name = _new_name(named)
        named |= {name: one.lasting} if name else {}
    return named


def _new_name(known: "Mapping[str, str]") -> str:
    """The name that is typed for a camera, which no other has; "" to leave it out."""
    asked = "  its name (front, wrist, ...; empty leaves it out)"
    while (name := str(typer.prompt(asked, default="", show_default=False)).strip()) in known:
        print(f"  '{name}' is another camera already")
    return name


def saved_pictures(found: "Sequence[Found]", finders: "Finders", folder: Path) -> "Mapping[str, Path]":
    """A picture of each camera in a folder, and on the terminal; device -> file."""
    import sys

    from PIL import Image

    from regrasp.errors import DeviceError

    files: dict[str, Path] = {}
    for one in found:
        try:
            picture = finders.picture(one.device)
        except DeviceError as error:
            print(error, file=sys.stderr)
            continue
        folder.mkdir(parents=True, exist_ok=True)
        files[one.device] = folder / f"{Path(one.device).name}.png"
        Image.fromarray(picture).save(files[one.device])
        if sys.stdout.isatty():
            print(preview(picture))
    return files


def preview(picture: "Picture", *, columns: int = 48) -> str:
    """A picture in coloured half blocks, two pixels to a letter, for a terminal with 24-bit colours."""
    import numpy as np

    height, width = picture.shape[:2]
    rows = max(2 * round(columns * height / width / 2), 2)
    small = picture[np.ix_(np.arange(rows) * height // rows, np.arange(columns) * width // columns)]
    lines = (
        "".join(
            f"\x1b[38;2;{upper[0]};{upper[1]};{upper[2]};48;2;{lower[0]};{lower[1]};{lower[2]}m\u2580"
            for upper, lower in zip(small[row], small[row + 1], strict=True)
        )
        for row in range(0, rows, 2)
    )
    return "\n".join(f"{line}\x1b[0m" for line in lines)


def _asks() -> bool:
    """Whether there is somebody to ask."""
    import sys

    return sys.stdin.isatty()


def _choice(question: str, answers: "Sequence[str]") -> int:
    """The place of the answer that is chosen."""
    for number, answer in enumerate(answers, 1):
        print(f"  {number}  {answer}")
    while not 1 <= (number := typer.prompt(question, type=int)) <= len(answers):
        print(f"  expected 1 to {len(answers)}")
    return number - 1
