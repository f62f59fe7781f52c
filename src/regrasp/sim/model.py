"""The SO-101's MuJoCo model, with visual meshes light enough to draw on a processor.

The model is MuJoCo Menagerie's `robotstudio_so101` (Apache-2.0) as the so101-nexus wheel carries it.
Its 400,000 drawn triangles cost ten times as much to draw as the 26,000 that look the same, so the
visual meshes are simplified once, into a cache. Collision meshes stay as they are.
"""

import hashlib
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.data.cache_folder import cache_folder
from regrasp.errors import MissingExtra

FACES = {
    "base_motor_holder_so101_v1": 1000,
    "base_so101_v2": 1500,
    "motor_holder_so101_base_v1": 900,
    "motor_holder_so101_wrist_v1": 1000,
    "moving_jaw_so101_v1": 2000,
    "rotation_pitch_so101_v1": 1400,
    "sts3215_03a_no_horn_v1": 500,
    "sts3215_03a_v1": 500,
    "under_arm_so101_v1": 3500,
    "upper_arm_so101_v1": 3500,
    "waveshare_mounting_plate_so101_v2": 300,
    "wrist_roll_follower_so101_camera_mount": 900,
    "wrist_roll_follower_so101_v1": 3000,
    "wrist_roll_pitch_so101_v2": 4000,
}
"""Triangles kept per visual mesh. Thin arms need 3,000 and more, or their ends erode."""

WELD_M = 0.0005
"""Vertices closer than this become one: without it the simplification stalls at 5,000 to 14,000 faces."""

CACHE_VERSION = 1
"""Raise when the way of simplifying changes."""

STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""One triangle of a binary STL file, which opens with 80 bytes of text and a 32-bit count."""


def robot_spec() -> mujoco.MjSpec:
    """The arm as an editable MuJoCo model; visual meshes simplified.

    The one function through which the arm's model is reached.
    """
    folder = model_folder()
    spec = mujoco.MjSpec.from_file(str(folder / "so101.xml"))
    meshes = simplified_meshes(folder / "assets")
    for mesh in spec.meshes:
        file = Path(mesh.file)
        mesh.file = str(meshes / file.name if file.stem in FACES else folder / "assets" / file.name)
    return spec


def model_folder() -> Path:
    """Folder of `so101.xml` inside the so101-nexus wheel, found without importing the package."""
    package = importlib.util.find_spec("so101_nexus")
    for place in (package.submodule_search_locations or ()) if package else ():
        folder = Path(place) / "assets" / "SO101_menagerie"
        if (folder / "so101.xml").is_file():
            return folder
    raise MissingExtra(
        "Found no SO-101 model in this environment; the twin takes it from so101-nexus; "
        "try `pip install 'regrasp[sim]'`."
    )


def simplified_meshes(source: Path) -> Path:
    """Folder of the simplified meshes of `source`; made at first use, mended when damaged.

    Made under a temporary name and renamed when complete, so an interrupted or a second process
    never leaves or sees half of it.
    """
    target = cache_folder() / f"meshes-{_digest(source)}"
    if _is_whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".meshes-", dir=target.parent, ignore_cleanup_errors=True
    ) as made:
        folder = Path(made) / target.name
        folder.mkdir()
        _simplify_all(source, folder)
        _put_in_place(folder, target)
    return target


def _digest(source: Path) -> str:
    """Short name of these meshes and this way of simplifying them (file sizes stand for contents)."""
    sizes = {name: (source / f"{name}.stl").stat().st_size for name in FACES}
    settings = json.dumps([CACHE_VERSION, WELD_M, FACES, sizes], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:12]


def _is_whole(folder: Path) -> bool:
    """Whether every mesh is there and has the checksum that was noted when it was made."""
    try:
        noted = json.loads((folder / "checksums.json").read_text())
        return noted.keys() == FACES.keys() and all(
            _sha256(folder / f"{name}.stl") == checksum for name, checksum in noted.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _simplify_all(source: Path, folder: Path) -> None:
    """Write every simplified mesh and, last, the checksums."""
    for name, faces in FACES.items():
        corners = simplify(read_stl(source / f"{name}.stl"), faces)
        write_stl(folder / f"{name}.stl", corners)
    checksums = {name: _sha256(folder / f"{name}.stl") for name in FACES}
    (folder / "checksums.json").write_text(json.dumps(checksums, indent=1))


def _put_in_place(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`; where another process was faster, keep its work."""
    try:
        folder.rename(target)
    except OSError:
        if _is_whole(target):
            return
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def read_stl(path: Path) -> NDArray[np.float64]:
    """Triangles of a binary STL file, shape [n, 3 corners, xyz]."""
    return np.fromfile(path, dtype=STL_TRIANGLE, offset=84)["corners"].astype(np.float64)


def write_stl(path: Path, corners: NDArray[np.float64]) -> None:
    """Write triangles, shape [n, 3, 3], as a binary STL file; normals are left to the reader."""
    triangles = np.zeros(len(corners), dtype=STL_TRIANGLE)
    triangles["corners"] = corners
    path.write_bytes(bytes(80) + np.uint32(len(corners)).tobytes() + triangles.tobytes())


def simplify(corners: NDArray[np.float64], faces: int) -> NDArray[np.float64]:
    """The same surface with about `faces` triangles, shape [n, 3, 3]."""
    import fast_simplification  # only the first run of all needs it

    points, triangles = _weld(corners)
    if len(triangles) > faces:
        points, triangles = fast_simplification.simplify(points, triangles, target_count=faces)
    return np.asarray(points, dtype=np.float64)[np.asarray(triangles)]


def _weld(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points on a grid of `WELD_M` and the triangles over them that keep three different points."""
    cells = np.round(corners.reshape(-1, 3) / WELD_M).astype(np.int64)
    unique, index = np.unique(cells, axis=0, return_inverse=True)
    triangles = index.reshape(-1, 3)
    a, b, c = triangles.T
    return np.multiply(unique, WELD_M), triangles[(a != b) & (b != c) & (c != a)]
