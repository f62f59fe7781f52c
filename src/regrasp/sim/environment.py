"""The twin: one arm, one table, one toy, advanced a frame at a time. Joints in degrees, gripper 0-100."""

import atexit
import weakref
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import HOME, HOME_SPREAD, within_limits
from regrasp.arm.units import to_radians
from regrasp.errors import DeviceError, UsageError
from regrasp.sim.imperfections import REAL, Imperfections, noise_field, with_noise
from regrasp.sim.opengl import no_opengl
from regrasp.sim.scene import (
    AREA_CENTRE,
    AREAS,
    TOY_REST_M,
    TRAINING_ROOM,
    USUAL,
    Appearance,
    Conditions,
    scene_spec,
)
from regrasp.sim.servos import Servos
from regrasp.sim.tasks import STARTS, TASKS, Judge, Scene

View = Literal["front", "wrist"]

SCATTER = np.array([(-110.0, 14.0), (-95.0, 10.0), (-10.0, 98.0), (20.0, 92.0), (-120.0, 20.0), (2.8, 40.0)])
"""Range of scattered starts, shape [6, 2]; degrees, gripper 0-100.

Pan and gripper as the recordings that failed for it had them (-145..14 there; the model's pan ends at -110).
"""

SCATTER_CLEARANCE_M = 0.075
"""Scattered starts keep the point between the jaws this far above the table."""

SCATTER_PITCH_DEG = (30.0, 140.0)
"""How far their hand may point forwards or back: lift + elbow + wrist_flex, 90 is straight down."""

YAW_SPREAD_DEG = 60.0
"""The toy's long axis points away from the arm, give or take this."""

SETTLE_S = 0.4
"""Time for toy and arm to come to rest before an episode begins."""


SMALLEST = 16
"""Pixels of a side of a picture."""


@dataclass(frozen=True)
class TwinConfig:
    """What to simulate."""

    task: str = "grab-brain"
    area: str = "2in"
    starts: str = "home"
    width: int = 96
    height: int = 96
    fps: int = 30
    imperfections: Imperfections = REAL
    appearance: Appearance = TRAINING_ROOM
    conditions: Conditions = USUAL
    shadows: bool = False
    """Shadows and smooth edges: for pictures to look at; they cost six times the drawing."""

    def __post_init__(self) -> None:
        """Refuse names that do not exist."""
        for what, name, known in (
            ("task", self.task, TASKS),
            ("area", self.area, AREAS),
            ("starts", self.starts, STARTS),
        ):
            if name not in known:
                raise UsageError(f"Found {what} '{name}'; expected one of {', '.join(known)}.")
        for side in (self.width, self.height):
            if side < SMALLEST or side % 2:
                raise UsageError(
                    f"Found pictures of {self.width} x {self.height}; expected even numbers from {SMALLEST} on, as "
                    "videos need them."
                )


@dataclass(frozen=True)
class InitialCondition:
    """How an episode began. Degrees (gripper 0-100), metres."""

    joints: NDArray[np.float64]
    object_x_m: float
    object_y_m: float
    object_yaw_deg: float
    seed: int


class Twin:
    """A simulated SO-101. Deterministic: the same seed and actions give the same bytes.

    Pictures must be asked for in the thread that asked first (OpenGL holds on to its thread).
    """

    _renderer: mujoco.Renderer | None = None

    def __init__(self, config: TwinConfig):
        self.config = config
        self.task = TASKS[config.task]
        spec = scene_spec(
            config.fps,
            config.appearance,
            width=config.width,
            height=config.height,
            conditions=config.conditions,
        )
        if config.shadows:
            spec.visual.quality.offsamples = 4
        self.model: mujoco.MjModel = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._servos = Servos(self.model, self.data, config.imperfections, config.fps)
        self._noise = noise_field(config.imperfections.camera_noise, config.height, config.width)
        self._toy_body = self.model.body("toy").id
        self._bin_body = self.model.body("bin").id
        self._toy_joint: int = self.model.joint("toy").qposadr[0]
        self._hand_site = self.model.site("tcp").id
        self._jaws = (self.model.body("gripper").id, self.model.body("moving_jaw_so101_v1").id)
        self.reset(0)

    # -- episodes

    def reset(self, seed: int) -> InitialCondition:
        """Start an episode: the arm and the toy placed as `seed` says, and at rest."""
        rng = np.random.default_rng(seed)
        self._seed, self._tick = seed, 0
        mujoco.mj_resetData(self.model, self.data)
        x_m, y_m, yaw_deg = self._place_toy(rng)
        self._servos.rest_at(self._draw_start(rng))
        mujoco.mj_step(self.model, self.data, round(SETTLE_S / self.model.opt.timestep))
        self.data.time = 0.0
        self._toy_rest_m = float(self.data.xpos[self._toy_body][2])
        self.judge = Judge(self.task)
        return InitialCondition(self.joints(), x_m, y_m, yaw_deg, seed)

    def step(self, action: NDArray[np.float64]) -> None:
        """Send one command, shape [6], and let 1/fps seconds pass."""
        goal = np.asarray(action, dtype=np.float64)
        if goal.shape != (6,) or not np.isfinite(goal).all():
            raise DeviceError(f"Found command {goal.tolist()}; expected 6 finite joint values.")
        self._servos.follow(goal)
        self._count_frame()

    def hold(self) -> None:
        """Let 1/fps seconds pass without a new command: the servos keep the last one."""
        self._servos.hold()
        self._count_frame()

    def _count_frame(self) -> None:
        self._tick += 1
        self.judge.watch(self.scene())

    def joints(self) -> NDArray[np.float64]:
        """Joint values as the encoders read them, shape [6]."""
        return self._servos.readings()

    def stand_at(self, pose: NDArray[np.float64]) -> None:
        """Put the arm at `pose`, shape [6], at rest; the toy stays where it is."""
        self.data.qvel[:6] = 0.0
        self._servos.rest_at(within_limits(pose))

    def touching(self) -> frozenset[str]:
        """What the arm touches now: `table`, `itself`, `bin`, `toy`."""
        bodies = self.model.geom_bodyid[self.data.contact.geom].reshape(-1, 2)
        arm = (bodies > 0) & (bodies <= self._jaws[1])
        other = np.where(arm[:, 0], bodies[:, 1], bodies[:, 0])[arm.any(axis=1)]
        names = {0: "table", self._toy_body: "toy", self._bin_body: "bin"}
        return frozenset(names.get(int(body), "itself") for body in other)

    # -- what came of it

    @property
    def success(self) -> bool:
        """Whether the task was fulfilled at some moment since `reset`."""
        return self.judge.success

    @property
    def progress(self) -> float:
        """How far the task got, 0 to 1, at its best moment since `reset`."""
        return self.judge.progress

    @property
    def instruction(self) -> str:
        """The task in words."""
        return self.task.instruction

    @property
    def max_frames(self) -> int:
        """Frames after which an attempt has failed."""
        return round(self.task.max_seconds * self.config.fps)

    @property
    def tick(self) -> int:
        """Frames since `reset`."""
        return self._tick

    def scene(self) -> Scene:
        """The true state of toy and hand (no policy may look)."""
        toy = self.data.xpos[self._toy_body].copy()
        velocity = self.data.qvel[6:9]
        return Scene(
            hand=self.data.site_xpos[self._hand_site].copy(),
            toy=toy,
            toy_speed_m_s=float(np.linalg.norm(velocity)),
            lifted_m=float(toy[2]) - self._toy_rest_m,
            jaws_touching=len(self._jaws_on_toy()),
        )

    def toy_yaw(self) -> float:
        """Direction of the toy's long axis, seen from above; radians."""
        axis = self.data.xmat[self._toy_body].reshape(3, 3)[:, 0]
        return float(np.arctan2(axis[1], axis[0]))

    def _jaws_on_toy(self) -> set[int]:
        """Bodies of the jaws that touch the toy."""
        bodies = self.model.geom_bodyid[self.data.contact.geom]
        with_toy = bodies[(bodies == self._toy_body).any(axis=1)]
        return {int(body) for body in with_toy.ravel() if body in self._jaws}

    # -- pictures

    def render(self, view: View) -> NDArray[np.uint8]:
        """What a camera sees now, shape [height, width, 3], RGB. Depends on the state and the frame only."""
        renderer = self._open_renderer()
        renderer.update_scene(self.data, view, scene_option=_drawn())
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = self.config.shadows
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        picture: NDArray[np.uint8] = renderer.render()
        if self.config.imperfections.camera_noise <= 0:
            return picture
        key = (self._seed * 1009 + self._tick) * 2 + (view == "wrist")
        return with_noise(picture, self._noise, key)

    def close(self) -> None:
        """Give back the OpenGL context. Physics goes on working, and a later picture opens it again."""
        if self._renderer is not None:
            self._renderer.render()  # makes its context the current one: else it would free another twin's
            self._renderer.close()
            self._renderer = None

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_renderer(self) -> mujoco.Renderer:
        """The renderer, opened with the first picture."""
        if self._renderer is None:
            try:
                renderer = mujoco.Renderer(self.model, self.config.height, self.config.width)
            except (RuntimeError, AttributeError, ImportError, mujoco.FatalError) as error:
                raise no_opengl(error) from error
            self._renderer = renderer
            _close_before_exit(self)
        return self._renderer

    # -- beginnings

    def _draw_start(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """A start pose, shape [6]."""
        if self.config.starts == "home":
            return within_limits(HOME + HOME_SPREAD * np.clip(rng.standard_normal(6), -2.5, 2.5))
        while True:
            pose = rng.uniform(SCATTER[:, 0], SCATTER[:, 1])
            low, high = SCATTER_PITCH_DEG
            if low < pose[1:4].sum() < high and self._is_free(pose):
                return pose

    def _is_free(self, pose: NDArray[np.float64]) -> bool:
        """Whether the arm in this pose touches nothing and keeps clear of the table."""
        self.data.qpos[:6] = to_radians(pose)
        mujoco.mj_forward(self.model, self.data)
        return not self.touching() and self.data.site_xpos[self._hand_site][2] > SCATTER_CLEARANCE_M

    def _place_toy(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Lay the toy somewhere in the area; x, y (m) and yaw (deg)."""
        half = AREAS[self.config.area] / 2
        x_m, y_m = rng.uniform(-half, half, 2) + AREA_CENTRE
        away = np.degrees(np.arctan2(y_m, x_m))
        yaw_deg = float(away + rng.uniform(-YAW_SPREAD_DEG, YAW_SPREAD_DEG))
        yaw = np.radians(yaw_deg)
        self.data.qpos[self._toy_joint : self._toy_joint + 7] = [
            x_m, y_m, self.config.conditions.board_m + TOY_REST_M, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
        ]  # fmt: skip
        return float(x_m), float(y_m), yaw_deg


_drawing: "weakref.WeakSet[Twin]" = weakref.WeakSet()


def _close_before_exit(twin: Twin) -> None:
    """See to it that OpenGL contexts are closed before MuJoCo shuts OpenGL down, or it complains at exit.

    Exit handlers run last in, first out; MuJoCo's own was registered with the first context.
    """
    _drawing.add(twin)
    atexit.unregister(_close_all)
    atexit.register(_close_all)


def _close_all() -> None:
    for twin in tuple(_drawing):
        twin.close()


def _drawn() -> mujoco.MjvOption:
    """Draw the visual meshes (groups 0-2) and no helper site."""
    option = mujoco.MjvOption()
    option.sitegroup[:] = 0
    option.geomgroup[:] = [1, 1, 1, 0, 0, 0]
    return option
