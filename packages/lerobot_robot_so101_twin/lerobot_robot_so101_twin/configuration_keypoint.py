"""Settings of the small policy that two cores train in minutes: `--policy.type=keypoint`."""

from dataclasses import dataclass, field

from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import NormalizationMode
from lerobot.optim.optimizers import AdamWConfig
from lerobot.optim.schedulers import CosineAnnealingWithWarmupSchedulerConfig


@PreTrainedConfig.register_subclass("keypoint")
@dataclass
class KeypointConfig(PreTrainedConfig):
    """A keypoint policy: one small encoder per camera, joint state, instruction, a chunk of actions.

    Attributes:
        chunk_size: Actions predicted at once, in frames.
        n_action_steps: Actions executed before the policy looks again; at most `chunk_size`.
        cameras: Cameras it looks at, by key or short name, in order. `None` takes every camera of the
            dataset; an empty list makes a blind policy, the baseline of a success rate.
        image_size: Images are resized to this many pixels on each side.
        channels: Width of the three convolutions of each encoder.
        keypoints: Points that each encoder finds in its image.
        hidden: Width of the layers that turn points, joints and words into actions.
        word_dim: Size of a word's embedding.
        vocabulary: Words are hashed into this many embeddings.
        max_words: Words of an instruction that are read.
        state_noise: Standard deviation of the noise on the joint state while training, in units of the
            state's own spread; keeps the policy from copying its state.
        shift_px: Images are shifted by up to this many pixels while training.
    """

    n_obs_steps: int = 1
    chunk_size: int = 40
    n_action_steps: int = 20
    cameras: list[str] | None = None
    image_size: int = 96
    channels: tuple[int, int, int] = (16, 32, 32)
    keypoints: int = 32
    hidden: int = 384
    word_dim: int = 32
    vocabulary: int = 2048
    max_words: int = 24
    state_noise: float = 0.05
    shift_px: int = 0

    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: {
            "VISUAL": NormalizationMode.IDENTITY,
            "STATE": NormalizationMode.MEAN_STD,
            "ACTION": NormalizationMode.MEAN_STD,
        }
    )

    optimizer_lr: float = 1e-3
    optimizer_weight_decay: float = 1e-4
    warmup_steps: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.n_action_steps <= self.chunk_size:
            raise ValueError(
                f"n_action_steps is {self.n_action_steps}; expected 1 to chunk_size ({self.chunk_size})."
            )

    @property
    def camera_keys(self) -> list[str]:
        """Keys of the cameras that the policy looks at, in order; raises ValueError for one that is absent."""
        known = list(self.image_features)
        if self.cameras is None:
            return known
        by_name = {key.removeprefix("observation.images."): key for key in known} | {
            key: key for key in known
        }
        missing = [name for name in self.cameras if name not in by_name]
        if missing:
            raise ValueError(f"The policy looks at camera {missing[0]!r}; the dataset has {sorted(known)}.")
        return [by_name[name] for name in self.cameras]

    def get_optimizer_preset(self) -> AdamWConfig:
        """AdamW, as for the other small policies."""
        return AdamWConfig(lr=self.optimizer_lr, weight_decay=self.optimizer_weight_decay, grad_clip_norm=1.0)

    def get_scheduler_preset(self) -> CosineAnnealingWithWarmupSchedulerConfig:
        """A short warm-up, then down to zero over whatever number of steps is trained."""
        return CosineAnnealingWithWarmupSchedulerConfig(num_warmup_steps=self.warmup_steps)

    def validate_features(self) -> None:
        """Raise ValueError unless there are joints to read and actions to predict."""
        if self.robot_state_feature is None or self.action_feature is None:
            raise ValueError("The keypoint policy needs observation.state and action.")
        _ = self.camera_keys

    @property
    def observation_delta_indices(self) -> None:
        """Only the present observation is read."""
        return None

    @property
    def action_delta_indices(self) -> list[int]:
        """The present action and those that follow it."""
        return list(range(self.chunk_size))

    @property
    def reward_delta_indices(self) -> None:
        """No reward is read."""
        return None
