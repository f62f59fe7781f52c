"""The world around the arm: table, marked areas, bin, soft toy, cameras, light. Metres, radians, world frame.

The origin lies on the table below the centre of the arm's base; x points forwards, y to the arm's
left, z up. Positive shoulder_pan turns the arm towards -y.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS, LIMITS
from regrasp.arm.units import to_radians
from regrasp.errors import UsageError
from regrasp.sim.model import robot_spec

INCH_M = 0.0254

AREAS = {"2in": 2 * INCH_M, "6in": 6 * INCH_M}
"""Side of the square in which the toy may lie."""

AREA_CENTRE = (0.23, 0.0)
"""Where the squares lie: the hand reaches all of the larger one, pointing (almost) straight down."""

PLINTH_M = 0.045
"""Height of the board under the arm. Folded at home, the jaws hang 34 mm below the arm's own base."""

TABLE_END_M, BOARD_FROM_M = 0.70, 0.15
"""Far end of the table, and where a board that lies on it begins: before the areas, behind the bin."""

BIN_CENTRE = (0.09, -0.185)
BIN_INNER_M = 0.100
BIN_WALL_M = 0.003
BIN_HEIGHT_M = 0.045
BIN_RGBA = (0.25, 0.42, 0.38, 1.0)

TOY = (
    ((0.0000, 0.0068, 0.0000), (0.0205, 0.0098, 0.0138)),
    ((0.0005, -0.0066, 0.0000), (0.0200, 0.0098, 0.0132)),
    ((0.0110, 0.0060, 0.0030), (0.0110, 0.0090, 0.0098)),
    ((-0.0095, 0.0072, 0.0032), (0.0110, 0.0093, 0.0100)),
    ((0.0100, -0.0068, 0.0032), (0.0112, 0.0090, 0.0096)),
    ((-0.0105, -0.0060, 0.0028), (0.0108, 0.0092, 0.0100)),
    ((-0.0175, 0.0004, -0.0050), (0.0075, 0.0085, 0.0072)),
)
"""Lobes of the toy brain: centre and half-axes of each ellipsoid in the toy's frame; 44 x 33 x 28 mm.

Small enough that the 2 inch area asks for eyes: hands that always go to its middle grab it in 4 of 10 starts.
"""

TOY_MASS_KG = 0.046

TOY_REST_M = 0.0138
"""Height of the toy's origin when it lies on the table."""

SLIDING_FRICTION, ROLLING_FRICTION = 1.2, (0.02, 0.001)
"""Of the toy: sliding; torsional and rolling."""

SOFT = {"solref": [0.01, 1.0], "solimp": [0.9, 0.97, 0.003, 0.5, 2.0]}
"""Contact of the toy: it wins over the jaws' by its priority, else its softness would be ignored.

Softer than solimp 0.7 or solref 0.03, held toys slip out; the elliptic cone needs impratio 10, or they creep.
"""

TCP_IN_GRIPPER = (0.0, 0.0, -0.090)
"""Point between the jaws, 14 mm above their tips, in the frame of the body `gripper`."""

GRIPPER_FORCE_NM = 1.5
"""LeRobot halves the gripper's torque (`Max_Torque_Limit` 500 of 1000, `so_follower`); the joint has 2.94."""

HIDDEN_GROUP = 4
"""Geoms and sites of this group are never drawn."""

SUBSTEP_HZ = 300


@dataclass(frozen=True)
class Appearance:
    """How the place looks: what differs between the room of training and the room of deployment."""

    light: float = 1.0
    """Brightness of lamp and surroundings; 1 is the room of training."""
    light_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    table_rgb: tuple[float, float, float] = (0.72, 0.62, 0.50)
    wall_rgb: tuple[float, float, float] = (0.72, 0.75, 0.78)
    toy_rgb: tuple[float, float, float] = (0.93, 0.50, 0.58)
    front_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far the front camera was moved, world frame."""
    front_turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far the front camera was turned on its stand, about its own axes: right, up, backwards."""
    wrist_turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far the wrist camera was turned in its mount, about its own axes."""


TRAINING_ROOM = Appearance()


@dataclass(frozen=True)
class Conditions:
    """What is touched: the toy's weight and grip, and how high it lies."""

    toy_mass_kg: float = TOY_MASS_KG
    toy_friction: float = SLIDING_FRICTION
    """Of the toy against jaws and table, sliding; 0 is ice."""
    board_m: float = 0.0
    """Height of a board on the table, with the marked areas and the toy on it; below the folded arm there is none."""

    def __post_init__(self) -> None:
        """Refuse what physics cannot carry out."""
        if self.toy_mass_kg <= 0 or self.toy_friction < 0 or not 0 <= self.board_m <= 0.1:
            raise UsageError(
                f"Found {self}; expected a mass above 0, a friction of 0 or more, and a board of 0 to 0.1 m."
            )


USUAL = Conditions()
"""The conditions of training."""

FRONT_POSITION = (0.62, -0.02, 0.40)
FRONT_TARGET = (0.205, -0.035, 0.045)
FRONT_FOVY_DEG = 31.0
"""Narrow enough that the areas and the hand fill a picture of 96 pixels (2.6 mm per pixel)."""

WRIST_FOVY_DEG = 62.0


def arm_spec() -> mujoco.MjSpec:
    """The arm on its plinth with the joint ranges of `arm.so101`, and nothing around it; for planning."""
    spec = robot_spec()
    spec.body("base").pos = [0.0, 0.0, PLINTH_M]
    low, high = to_radians(LIMITS[:, 0].copy()), to_radians(LIMITS[:, 1].copy())
    for index, name in enumerate(JOINTS):
        spec.joint(name).range = [low[index], high[index]]
        spec.actuator(name).ctrlrange = [low[index], high[index]]
    spec.actuator("gripper").forcerange = [-GRIPPER_FORCE_NM, GRIPPER_FORCE_NM]
    for folded_against in ("lower_arm", "wrist", "gripper"):
        # Their collision boxes overlap in the folded pose, which the real arm takes freely.
        spec.add_exclude(bodyname1="shoulder", bodyname2=folded_against)
    spec.body("gripper").add_site(name="tcp", pos=TCP_IN_GRIPPER, group=HIDDEN_GROUP)
    return spec


def scene_spec(
    fps: int, appearance: Appearance, *, width: int, height: int, conditions: Conditions = USUAL
) -> mujoco.MjSpec:
    """Arm and world, ready to compile. Pictures up to `width` x `height` pixels."""
    spec = arm_spec()
    spec.modelname = "regrasp_twin"
    _set_physics(spec, fps)
    _set_pictures(spec, width, height)
    _add_room(spec, appearance)
    _add_board(spec, conditions.board_m)
    _add_marks(spec, conditions.board_m)
    _add_bin(spec)
    _add_toy(spec, appearance, conditions)
    _add_cameras(spec, appearance)
    return spec


def substeps(fps: int) -> int:
    """Physics steps per frame."""
    return max(1, round(SUBSTEP_HZ / fps))


def _set_physics(spec: mujoco.MjSpec, fps: int) -> None:
    spec.option.timestep = 1.0 / (fps * substeps(fps))
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.option.iterations = 20
    spec.option.ls_iterations = 20


def _set_pictures(spec: mujoco.MjSpec, width: int, height: int) -> None:
    """Without multisampling; shadows are left to the renderer's flags."""
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = max(width, 640), max(height, 480)
    visual.quality.offsamples = 0
    visual.quality.shadowsize = 2048
    visual.map.znear, visual.map.zfar = 0.02, 10.0


def _add_room(spec: mujoco.MjSpec, appearance: Appearance) -> None:
    """Table with a grain, a wall all around, one lamp above."""
    light = np.asarray(appearance.light_rgb) * appearance.light
    spec.visual.headlight.ambient = 0.32 * light
    spec.visual.headlight.diffuse = 0.28 * light
    spec.visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.worldbody.add_light(
        pos=[0.45, 0.5, 1.2], dir=[-0.25, -0.5, -1.2], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        diffuse=0.55 * light, specular=[0.15, 0.15, 0.15], castshadow=True,
    )  # fmt: skip
    _add_texture(spec, "table", wood(appearance.table_rgb))
    spec.add_texture(
        name="wall", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=np.asarray(appearance.wall_rgb) * np.minimum(light, 1.3),
        rgb2=0.6 * np.asarray(appearance.wall_rgb) * np.minimum(light, 1.3), width=64, height=384,
    )  # fmt: skip
    table = spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, pos=[0.25, 0.0, -0.02], size=[0.45, 0.55, 0.02]
    )
    table.material = "table"
    table.friction = [0.9, 0.005, 0.0001]
    plinth = spec.worldbody.add_geom(
        name="plinth", type=mujoco.mjtGeom.mjGEOM_BOX, pos=[-0.015, 0.0, PLINTH_M / 2],
        size=[0.065, 0.06, PLINTH_M / 2], rgba=[0.30, 0.31, 0.33, 1.0],
    )  # fmt: skip
    plinth.contype, plinth.conaffinity = 0, 0


def _add_board(spec: mujoco.MjSpec, height_m: float) -> None:
    """A board of the table's own wood from `BOARD_FROM_M` to its far end; none of no height."""
    if height_m <= 0:
        return
    half_x = (TABLE_END_M - BOARD_FROM_M) / 2
    board = spec.worldbody.add_geom(
        name="board", type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[BOARD_FROM_M + half_x, 0.0, height_m / 2], size=[half_x, 0.55, height_m / 2],
    )  # fmt: skip
    board.material = "table"
    board.friction = [0.9, 0.005, 0.0001]


def _add_texture(spec: mujoco.MjSpec, name: str, picture: NDArray[np.uint8], repeat: float = 1.0) -> None:
    """A picture, shape [h, w, 3], as texture and material of one name."""
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
    texture.height, texture.width, texture.nchannel = picture.shape
    texture.data = picture.tobytes()
    material = spec.add_material(name=name, specular=0.1, shininess=0.1, texrepeat=[repeat, repeat])
    textures = list(material.textures)
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    material.textures = textures


def wood(rgb: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Picture of boards of wood in the given colour, shape [256, 256, 3]; always the same grain."""
    rng = np.random.default_rng(7)
    grain = rng.normal(0.0, 1.0, (256, 256))
    for shift in (1, 2, 4, 8, 16):
        grain = 0.5 * (grain + np.roll(grain, shift, axis=0))
    board = np.arange(256) // 32
    tone = rng.uniform(-0.05, 0.05, 8)[board] - 0.15 * (np.arange(256) % 32 == 0)
    brightness = 0.93 + 0.06 * np.clip(grain / grain.std(), -2, 2) / 2 + tone[None, :]
    return np.clip(255 * brightness[..., None] * np.asarray(rgb), 0, 255).astype(np.uint8)


def folds(rgb: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Picture of winding folds in the given colour, shape [128, 128, 3]: waves from all sides."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:128, 0:128] / 128.0
    height = np.zeros((128, 128))
    for angle in np.linspace(0.0, np.pi, 9)[:-1]:
        wave = np.round(5 * np.array([np.cos(angle), np.sin(angle)]))
        height += np.cos(2 * np.pi * (wave[0] * x + wave[1] * y + rng.random()))
    groove = np.exp(-((height / 0.8) ** 2))
    return np.clip(255 * (1.05 - 0.38 * groove[..., None]) * np.asarray(rgb), 0, 255).astype(np.uint8)


def _add_marks(spec: mujoco.MjSpec, board_m: float) -> None:
    """Outlines of both areas, as if drawn with tape; they touch nothing."""
    for name, side in AREAS.items():
        half, tape = side / 2, 0.0022
        for index, (dx, dy) in enumerate(((half, 0), (-half, 0), (0, half), (0, -half))):
            mark = spec.worldbody.add_geom(
                name=f"mark_{name}_{index}", type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=[AREA_CENTRE[0] + dx, AREA_CENTRE[1] + dy, board_m + 0.0004],
                size=[tape if dx else half + tape, tape if dy else half + tape, 0.0004],
                rgba=[0.15, 0.25, 0.55, 1.0] if name == "2in" else [0.92, 0.92, 0.90, 1.0],
            )  # fmt: skip
            mark.contype, mark.conaffinity = 0, 0


def _add_bin(spec: mujoco.MjSpec) -> None:
    """An open box."""
    bin_body = spec.worldbody.add_body(name="bin", pos=[*BIN_CENTRE, 0.0])
    half, wall, height = BIN_INNER_M / 2, BIN_WALL_M / 2, BIN_HEIGHT_M / 2
    outer = half + 2 * wall
    sides = {
        "floor": ((0.0, 0.0, wall), (outer, outer, wall)),
        "back": ((-half - wall, 0.0, height), (wall, outer, height)),
        "front": ((half + wall, 0.0, height), (wall, outer, height)),
        "right": ((0.0, -half - wall, height), (outer, wall, height)),
        "left": ((0.0, half + wall, height), (outer, wall, height)),
    }
    for name, (position, size) in sides.items():
        bin_body.add_geom(
            name=f"bin_{name}", type=mujoco.mjtGeom.mjGEOM_BOX, pos=position, size=size, rgba=BIN_RGBA
        )


def _add_toy(spec: mujoco.MjSpec, appearance: Appearance, conditions: Conditions) -> None:
    """The brain: one rigid body of soft lobes, free to move."""
    toy = spec.worldbody.add_body(name="toy", pos=[*AREA_CENTRE, conditions.board_m + TOY_REST_M])
    toy.add_freejoint(name="toy")
    volumes = [float(np.prod(axes)) for _, axes in TOY]
    _add_texture(spec, "folds", folds(appearance.toy_rgb), repeat=2.0)
    for index, (centre, axes) in enumerate(TOY):
        lobe = toy.add_geom(
            name=f"toy_{index}", type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, pos=centre, size=axes, condim=6,
            priority=2, mass=conditions.toy_mass_kg * volumes[index] / sum(volumes),
            friction=[conditions.toy_friction, *ROLLING_FRICTION], **SOFT,
        )  # fmt: skip
        lobe.material = "folds"


def _add_cameras(spec: mujoco.MjSpec, appearance: Appearance) -> None:
    """`front` looks at the areas from across the table; `wrist` sits in the arm's own camera mount."""
    position = np.asarray(FRONT_POSITION) + np.asarray(appearance.front_shift_m)
    aim = np.asarray(FRONT_TARGET) + np.asarray(appearance.front_shift_m)
    front = turned(look_at(position, aim), appearance.front_turn_deg)
    spec.worldbody.add_camera(name="front", pos=position, quat=front, fovy=FRONT_FOVY_DEG)
    wrist = spec.camera("wrist_cam")
    wrist.name = "wrist"
    wrist.fovy = WRIST_FOVY_DEG
    wrist.alt.euler = np.asarray(wrist.alt.euler) + np.radians(appearance.wrist_turn_deg)


def turned(orientation: NDArray[np.float64], turn_deg: tuple[float, float, float]) -> NDArray[np.float64]:
    """An orientation (w, x, y, z) turned about its own x, then y, then z axis."""
    result = np.asarray(orientation, dtype=np.float64)
    for axis, angle in zip(np.eye(3), np.radians(turn_deg), strict=True):
        turn, both = np.empty(4), np.empty(4)
        mujoco.mju_axisAngle2Quat(turn, axis, angle)
        mujoco.mju_mulQuat(both, result, turn)
        result = both
    return result


def look_at(position: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orientation (w, x, y, z) of an upright camera at `position` that looks at `target`."""
    back = (position - target) / np.linalg.norm(position - target)
    right = np.array([-back[1], back[0], 0.0]) / np.hypot(back[0], back[1])
    R_world_camera = np.empty((3, 3))
    R_world_camera[:, 0], R_world_camera[:, 1], R_world_camera[:, 2] = right, np.cross(back, right), back
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, R_world_camera.ravel())
    return quaternion
