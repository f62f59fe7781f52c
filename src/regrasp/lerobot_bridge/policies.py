"""Any LeRobot policy as Regrasp drives and questions it: plain arrays in, plain arrays out."""

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs.policies import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.import_utils import register_third_party_plugins, require_package
from numpy.typing import NDArray

from regrasp.control import Decision
from regrasp.control.seams import Horizon
from regrasp.data.checkpoint import read_checkpoint
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.errors import CheckpointError, first_line
from regrasp.lerobot_bridge import asking
from regrasp.lerobot_bridge.quiet import quiet

STATE = "observation.state"
IMAGES = "observation.images."
ADAPTER_FILE = "adapter_model.safetensors"
BATCH = 64
"""Observations that are put through a policy at once."""


def _with_weights(folder: str, config: Any) -> Any:
    """The policy of a checkpoint; of an adapter (PEFT), the policy that it was made for, with what it adds."""
    kind = get_policy_class(config.type)
    if not (Path(folder) / ADAPTER_FILE).is_file():
        return kind.from_pretrained(folder, config=config)
    require_package("peft", extra="peft")
    from peft import PeftConfig, PeftModel

    adapter = PeftConfig.from_pretrained(folder)
    base = kind.from_pretrained(
        adapter.base_model_name_or_path or "", config=config, revision=adapter.revision
    )
    return PeftModel.from_pretrained(base, folder, config=adapter).merge_and_unload()


class LoadedPolicy:
    """A checkpoint that answers: one observation at a time on an arm, or many at once for a probe.

    It keeps its own queue of actions, so that a query and the place of each action in its chunk are known whatever
    the policy's type.

    Attributes:
        checkpoint: What the checkpoint's files say.
        task: The instruction that observations are given with.
        chunk_size: Actions predicted at once.
        n_action_steps: Actions executed before the next query.
        remembers: Whether a policy that looks at several moments gets those before the present. Without, the present
            stands for them: right where queries are further apart than frames.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        task: str = "",
        n_action_steps: int | None = None,
        statistics: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
    ) -> None:
        """Load `path`, a run folder, a checkpoint or a `pretrained_model` folder.

        Where `statistics` are given, it normalises with these instead of its own.

        Raises:
            CheckpointError: The checkpoint cannot be read, or not by this version of LeRobot.
        """
        register_third_party_plugins()
        torch.set_num_threads(1)
        self.checkpoint = read_checkpoint(path)
        folder = str(self.checkpoint.path)
        try:
            with quiet():
                config = PreTrainedConfig.from_pretrained(folder)
                config.pretrained_path = Path(folder)
                if hasattr(config, "pretrained_backbone_weights"):
                    config.pretrained_backbone_weights = None  # type: ignore[attr-defined]  # ACT would download it
                policy = _with_weights(folder, config)
                self._before, self._after = make_pre_post_processors(
                    config, pretrained_path=folder, **_instead(statistics)
                )
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, ImportError) as error:
            first = first_line(error)
            raise CheckpointError(
                f"LeRobot cannot load the checkpoint in {folder}: {first}. "
                "Expected a checkpoint written by lerobot-train 0.6; try the checkpoint of another step."
            ) from error
        self._policy: Any = policy
        self._config: Any = config
        self.device = torch.device(config.device or "cpu")
        self.task = task
        self.chunk_size = asking.chunk_length(config)
        self.n_action_steps = n_action_steps or asking.carried_out(config)
        self.remembers = True
        self.reset()

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """Keys of the cameras that the policy looks at, as they were recorded, in its own order."""
        chosen = getattr(self._config, "camera_keys", None)
        return self.checkpoint.recorded_keys(tuple(self._config.image_features if chosen is None else chosen))

    def use(self, horizon: Horizon) -> None:
        """Set how chunks are used from the next episode on; one that is asked ahead is asked for whole chunks."""
        self.n_action_steps = 1 if horizon.delay else horizon.execute

    def reset(self) -> None:
        """Forget the episode before."""
        self._policy.reset()
        self._chunk: NDArray[np.float64] = np.empty((0, 0))
        self._number, self._position = -1, 0
        self._before_now: deque[ObservationBatch] = deque(maxlen=max(1, asking.moments(self._config) - 1))

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        """The next action for one observation of the robot; queries the policy when a new chunk is due."""
        inference_ms = float("nan")
        if self._position >= min(self.n_action_steps, len(self._chunk)):
            began = time.perf_counter()
            self._chunk = self._next_chunk(self.batch_of([observation], self.task))
            inference_ms = 1000.0 * (time.perf_counter() - began)
            self._number, self._position = self._number + 1, 0
        plan = self._chunk[self._position :]
        decision = Decision(plan[0], inference_ms, self._number, self._position, plan)
        self._position += 1
        self._remember(observation)
        return decision

    def _remember(self, observation: Mapping[str, Any]) -> None:
        """Keep what the next query will look back at; nothing is drawn or copied for any other policy."""
        moments = asking.moments(self._config)
        left = min(self.n_action_steps, len(self._chunk)) - self._position
        if self.remembers and moments > 1 and left < moments - 1:
            self._before_now.append(self.batch_of([observation], self.task))

    def batch_of(self, observations: Sequence[Mapping[str, Any]], task: str) -> ObservationBatch:
        """Observations of a robot as arrays, in the joint order of the robot's own dictionary.

        Raises:
            CheckpointError: A camera that the policy needs is missing, or the number of joints differs.
        """
        names = [name for name in observations[0] if name.endswith(".pos")]
        wanted = int(self._config.robot_state_feature.shape[0])
        if len(names) != wanted:
            raise CheckpointError(
                f"The robot reports {len(names)} joints; the checkpoint in {self.checkpoint.path} was trained "
                f"with {wanted}. Choose the station that it was trained for."
            )
        missing = [key for key in self.camera_keys if key.removeprefix(IMAGES) not in observations[0]]
        if missing:
            raise CheckpointError(
                f"The robot has no camera {missing[0].removeprefix(IMAGES)!r}; the checkpoint in "
                f"{self.checkpoint.path} needs it. Add it to the station."
            )
        return ObservationBatch(
            states=np.array([[one[name] for name in names] for one in observations], dtype=np.float64),
            images={
                key: np.stack([one[key.removeprefix(IMAGES)] for one in observations])
                for key in self.camera_keys
            },
            tasks=[task] * len(observations),
        )

    def chunks(self, batch: ObservationBatch) -> NDArray[np.float64]:
        """Action chunks in the dataset's units, shape [n, chunk_size, J]; the noise of a sampler is seeded."""
        return np.concatenate([self._chunks_of(part) for part in _parts(batch)])

    def features(self, batch: ObservationBatch) -> dict[str, NDArray[np.float64]]:
        """What the policy makes of each input before they mix: input's key -> [n, d].

        A policy with an encoder per camera gives each camera's features and its embedding of the instruction;
        of other policies, the mean image features of each camera that passes their vision backbone are given,
        where one can be found.
        """
        seen: dict[str, list[NDArray[np.float64]]] = {}
        recorded = {new: old for old, new in self.checkpoint.renamed.items()}
        for part in _parts(batch):
            for key, values in self._features_of(self._prepared(part)).items():
                seen.setdefault(recorded.get(key, key), []).append(values.double().cpu().numpy())
        return {key: np.concatenate(values) for key, values in seen.items()}

    def _next_chunk(self, batch: ObservationBatch) -> NDArray[np.float64]:
        """The chunk that comes after the present one, shape [chunk_size, J]."""
        return self._chunks_of(batch, self._before_now)[0]

    def _prepared(self, batch: ObservationBatch) -> dict[str, Any]:
        """The batch as LeRobot's preprocessor leaves it."""
        frame: dict[str, Any] = {STATE: torch.from_numpy(batch.states.astype(np.float32))}
        for key, images in batch.images.items():
            frame[key] = (
                torch.from_numpy(np.require(images, requirements=["C", "W"])).permute(0, 3, 1, 2).float()
                / 255.0
            )
        frame["task"] = list(batch.tasks)
        return self._before(frame)

    @torch.no_grad()
    def _chunks_of(
        self, batch: ObservationBatch, before: Iterable[ObservationBatch] = ()
    ) -> NDArray[np.float64]:
        torch.manual_seed(0)
        actions = asking.ask(self._policy, [self._prepared(one) for one in (*before, batch)])
        return self._after(actions).double().cpu().numpy()

    @torch.no_grad()
    def _features_of(self, prepared: dict[str, Any]) -> dict[str, torch.Tensor]:
        model: Any = getattr(self._policy, "model", None)
        if hasattr(model, "see") and hasattr(model, "read"):
            return {**model.see(prepared), "instruction": model.read(prepared)}
        if hasattr(model, "backbone"):  # ACT: one ResNet for all cameras
            return {
                key: model.backbone(prepared[self.checkpoint.renamed.get(key, key)])["feature_map"].mean(
                    dim=(2, 3)
                )
                for key in self.camera_keys
            }
        return {}


def load_policy(
    path: str | Path,
    *,
    task: str = "",
    n_action_steps: int | None = None,
    statistics: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
) -> LoadedPolicy:
    """The checkpoint at `path`, ready to be driven or questioned; see `LoadedPolicy`."""
    return LoadedPolicy(path, task=task, n_action_steps=n_action_steps, statistics=statistics)


def _instead(statistics: Mapping[str, Mapping[str, NDArray[Any]]] | None) -> dict[str, Any]:
    """Arguments with which LeRobot's processors take these statistics and not those that were saved."""
    if statistics is None:
        return {}
    stats = {
        feature: {name: torch.from_numpy(np.array(values)) for name, values in kept.items()}
        for feature, kept in statistics.items()
    }
    return {
        "preprocessor_overrides": {"normalizer_processor": {"stats": stats}},
        "postprocessor_overrides": {"unnormalizer_processor": {"stats": stats}},
    }


def _parts(batch: ObservationBatch) -> list[ObservationBatch]:
    """The batch in pieces of at most `BATCH`."""
    return [
        ObservationBatch(
            states=batch.states[start : start + BATCH],
            images={key: images[start : start + BATCH] for key, images in batch.images.items()},
            tasks=batch.tasks[start : start + BATCH],
        )
        for start in range(0, len(batch.states), BATCH)
    ]
