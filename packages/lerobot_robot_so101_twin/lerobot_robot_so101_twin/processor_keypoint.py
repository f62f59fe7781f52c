"""What goes into and comes out of the keypoint policy."""

import re
import zlib
from dataclasses import dataclass
from typing import Any

import torch
from lerobot.configs.types import FeatureType, PipelineFeatureType, PolicyFeature
from lerobot.lerobot_types import TransitionKey
from lerobot.processor import (
    EnvTransition,
    PolicyAction,
    PolicyProcessorPipeline,
    ProcessorStep,
    ProcessorStepRegistry,
    make_default_policy_processor_steps,
    make_policy_processor_pipelines,
)
from lerobot.utils.constants import OBS_LANGUAGE_TOKENS

from .configuration_keypoint import KeypointConfig


def word_ids(instruction: str, *, vocabulary: int, max_words: int) -> list[int]:
    """Numbers of an instruction's words, from 1 to `vocabulary` - 1; padded with 0 to `max_words`.

    Case and punctuation are dropped. The number is a CRC of the word, so that it is the same on every machine.

    Example:
        >>> word_ids("Grab it!", vocabulary=2048, max_words=3) == word_ids("grab it", vocabulary=2048, max_words=3)
        True
    """
    words = re.findall(r"\w+", instruction.casefold())[:max_words]
    numbers = [1 + zlib.crc32(word.encode()) % (vocabulary - 1) for word in words]
    return numbers + [0] * (max_words - len(numbers))


@ProcessorStepRegistry.register("regrasp_instruction_words")
@dataclass
class InstructionWordsStep(ProcessorStep):
    """Adds the numbers of the instruction's words to the observation, int64 [batch, max_words]."""

    vocabulary: int = 2048
    max_words: int = 24

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """The transition with the word numbers in its observation."""
        extra = transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        task = extra.get("task")
        tasks = [task or ""] if task is None or isinstance(task, str) else list(task)
        numbers = [word_ids(one, vocabulary=self.vocabulary, max_words=self.max_words) for one in tasks]
        observation = dict(transition.get(TransitionKey.OBSERVATION) or {})
        observation[OBS_LANGUAGE_TOKENS] = torch.tensor(numbers, dtype=torch.int64)
        changed = transition.copy()
        changed[TransitionKey.OBSERVATION] = observation
        return changed

    def get_config(self) -> dict[str, Any]:
        """What `policy_preprocessor.json` keeps of this step."""
        return {"vocabulary": self.vocabulary, "max_words": self.max_words}

    def transform_features(
        self, features: dict[PipelineFeatureType, dict[str, PolicyFeature]]
    ) -> dict[PipelineFeatureType, dict[str, PolicyFeature]]:
        """Declares the word numbers beside the other observations."""
        words = PolicyFeature(type=FeatureType.LANGUAGE, shape=(self.max_words,))
        features[PipelineFeatureType.OBSERVATION][OBS_LANGUAGE_TOKENS] = words
        return features


def make_keypoint_pre_post_processors(
    config: KeypointConfig, dataset_stats: dict[str, dict[str, torch.Tensor]] | None = None
) -> tuple[
    PolicyProcessorPipeline[dict[str, Any], dict[str, Any]],
    PolicyProcessorPipeline[PolicyAction, PolicyAction],
]:
    """The pipelines around the policy: rename, batch, read words, move, normalise; and back."""
    steps = make_default_policy_processor_steps(config, dataset_stats)
    words = InstructionWordsStep(vocabulary=config.vocabulary, max_words=config.max_words)
    return make_policy_processor_pipelines(
        input_steps=[
            steps.rename_observations,
            steps.add_batch_dim,
            words,
            steps.to_device,
            steps.normalize,
        ],
        output_steps=[steps.unnormalize, steps.to_cpu],
    )
