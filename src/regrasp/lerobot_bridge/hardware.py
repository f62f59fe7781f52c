"""Serial ports and cameras that are plugged in, under names that last, and a station that is compared with them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.station import Station
from regrasp.errors import DeviceError, first_line

type Picture = NDArray[np.uint8]

ARM_PORTS = ("ttyACM", "ttyUSB", "tty.usb", "cu.usb", "COM")
"""What the serial adapters of these arms are called; LeRobot's finder gives every terminal of the system."""

SERIAL_LINKS, VIDEO_LINKS = Path("serial/by-id"), Path("v4l/by-path")
"""Where Linux keeps names that last, below /dev: of a serial adapter by its number, of a camera by its USB plug (two
cameras of one make may have one number)."""

SIZE, RATE = (640, 480), 30
"""Pictures and rate of the project that Regrasp comes from, which every USB camera has."""


@dataclass(frozen=True)
class Found:
    """One thing that is plugged in: as the system calls it now, and the name that it keeps."""

    device: str
    lasting: str

    @property
    def lasts(self) -> bool:
        """Whether its name survives the next start."""
        return self.lasting != self.device or not self.device.startswith("/dev/")


@dataclass(frozen=True)
class Finders:
    """How to look: each may be replaced, so that nothing need be plugged in.

    Attributes:
        ports: Serial ports, as LeRobot's `find_available_ports` gives them.
        cameras: As LeRobot's `OpenCVCamera.find_cameras` gives them.
        picture: One picture of the camera with this id, uint8 [h, w, 3].
        devices: Folder of the system's devices.
    """

    ports: Callable[[], Sequence[str]]
    cameras: Callable[[], Sequence[Mapping[str, Any]]]
    picture: Callable[[str], Picture]
    devices: Path = Path("/dev")


@dataclass(frozen=True)
class Plug:
    """One line of a station file against what is plugged in; `wrong` is empty when it fits."""

    what: str
    written: str
    wrong: str = ""

    def __str__(self) -> str:
        return f"{self.what:<14} {self.written}" + (f"\n    {self.wrong}" if self.wrong else "")


def lerobot_finders() -> Finders:
    """LeRobot's own."""
    from lerobot.cameras.opencv import OpenCVCamera
    from lerobot.scripts.lerobot_find_port import find_available_ports

    return Finders(find_available_ports, OpenCVCamera.find_cameras, _picture_of)


def find_ports(finders: Finders) -> list[Found]:
    """Serial ports that an arm may hang on."""
    ports = [port for port in finders.ports() if Path(port).name.startswith(ARM_PORTS)]
    return [Found(port, lasting_name(port, finders.devices / SERIAL_LINKS)) for port in sorted(ports)]


def find_cameras(finders: Finders) -> list[Found]:
    """Cameras that give pictures."""
    ids = [str(camera["id"]) for camera in finders.cameras()]
    return [Found(one, lasting_name(one, finders.devices / VIDEO_LINKS)) for one in ids]


def lasting_name(device: str, links: Path) -> str:
    """The link in a folder that leads to a device; the device itself where there is none."""
    if not links.is_dir():
        return device
    target = os.path.realpath(device)
    named = sorted(str(link) for link in links.iterdir() if os.path.realpath(link) == target)
    return named[0] if named else device


def station_of(
    name: str,
    port: str,
    cameras: Mapping[str, str],
    *,
    robot: str = "so101_follower",
    leader: str | None = None,
    size: tuple[int, int] = SIZE,
    fps: int = RATE,
    task: str | None = None,
) -> Station:
    """The station of an arm on this port, with the camera under each name."""
    width, height = size
    options = {
        camera: {
            "type": "opencv",
            "index_or_path": _index(path),
            "width": width,
            "height": height,
            "fps": fps,
        }
        for camera, path in cameras.items()
    }
    teleop = (
        {"type": robot.replace("follower", "leader"), "port": leader, "id": f"{name}_leader"}
        if leader
        else None
    )
    return Station(
        name=name,
        robot={"type": robot, "port": port, "id": name, "cameras": options},
        teleop=teleop,
        fps=fps,
        task=task,
    )


def check_station(station: Station, finders: Finders) -> list[Plug]:
    """Each port and camera of a station file against what is plugged in; cameras are asked for a picture."""
    plugs = list(_ports_of(station, finders))
    taken: dict[str, str] = {}
    for name, options in station.cameras.items():
        path = device_of(str(options.get("index_or_path", options.get("serial_number_or_name", ""))), finders)
        wrong = _camera_fault(options, path, finders) or _taken(taken, name, path)
        plugs.append(Plug(f"camera {name}", path, wrong))
    return plugs


def device_of(camera: str, finders: Finders) -> str:
    """The path of a camera that is called by its number, on a system that has paths for them."""
    path = finders.devices / f"video{camera}"
    return str(path) if camera.isdigit() and path.exists() else camera


def _ports_of(station: Station, finders: Finders) -> Iterator[Plug]:
    taken: dict[str, str] = {}
    for what, options in (("follower", station.robot), ("leader", station.teleop or {})):
        port = options.get("port")
        if port is None:
            continue
        wrong = "" if _is_there(str(port), finders.ports()) else _nothing(str(port), find_ports(finders))
        yield Plug(
            what, str(port), wrong or _taken(taken, what, str(port)) or _short_lived(str(port), finders)
        )


def _camera_fault(options: Mapping[str, Any], path: str, finders: Finders) -> str:
    if options.get("type") != "opencv":
        return ""  # its driver alone can tell
    found = find_cameras(finders)
    if not _is_there(path, [camera.device for camera in found]):
        return _nothing(path, found)
    try:
        height, width = finders.picture(path).shape[:2]
    except DeviceError as error:
        return str(error)
    wanted = options.get("width"), options.get("height")
    if all(wanted) and wanted != (width, height):
        return f"It gives {width} x {height}; the file says {wanted[0]} x {wanted[1]}."
    return _short_lived(path, finders)


def _is_there(path: str, devices: Sequence[str]) -> bool:
    return os.path.realpath(path) in {os.path.realpath(device) for device in devices} or path in devices


def _nothing(path: str, found: Sequence[Found]) -> str:
    others = ", ".join(one.lasting for one in found) or "nothing of its kind"
    return f"Nothing is plugged in there; found {others}. Put the plug back, or run `regrasp station init` again."


def _taken(taken: dict[str, str], name: str, path: str) -> str:
    """Whether another name leads to the same device."""
    device = os.path.realpath(path)
    other = taken.setdefault(device, name)
    return "" if other == name else f"It is the same device as '{other}'; each needs its own."


def _short_lived(path: str, finders: Finders) -> str:
    """A name that the next start may give to another plug, where there is one that lasts."""
    links = finders.devices / (VIDEO_LINKS if "video" in Path(path).name else SERIAL_LINKS)
    lasting = lasting_name(path, links)
    known = str(Path(path).parent) == str(links)
    return "" if known or lasting == path else f"This name may change at the next start; {lasting} stays."


def _index(path: str) -> int | str:
    """A number where the system has numbers for its cameras, as macOS does."""
    return int(path) if path.isdigit() else path


def _picture_of(path: str) -> Picture:
    """One picture of a camera through LeRobot's driver, RGB."""
    from lerobot.cameras.opencv import OpenCVCamera, OpenCVCameraConfig

    from regrasp.lerobot_bridge.quiet import quiet

    camera: Any = OpenCVCamera(OpenCVCameraConfig(index_or_path=int(path) if path.isdigit() else Path(path)))
    try:
        with quiet():
            camera.connect()
            return camera.read()
    except (OSError, RuntimeError, TimeoutError, ValueError) as error:
        first = first_line(error)
        raise DeviceError(f"The camera at {path} gives no picture: {first}.") from error
    finally:
        if camera.is_connected:
            camera.disconnect()
