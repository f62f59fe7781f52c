"""A SmolVLA without its pretrained weights: 0.5 M random parameters, made offline in a local folder.

LeRobot's SmolVLA takes its architecture, tokenizer and image processor from the vision-language model named
in `vlm_model_name`, and that may be a folder. It trains, runs, saves and reads the instruction like the real
one; it has only never seen the world.
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, PreTrainedTokenizerFast, SmolVLMConfig, SmolVLMProcessor
from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig
from transformers.models.smolvlm.image_processing_smolvlm import SmolVLMImageProcessor
from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

IMAGE_PX = 96
PATCH_PX = 16
SCALE_FACTOR = 2
"""Each 2x2 patches become one token: 9 tokens for an image of 96x96."""

IMAGE_TOKENS = (IMAGE_PX // PATCH_PX // SCALE_FACTOR) ** 2

MARKS = {
    "bos_token": "<|im_start|>",
    "eos_token": "<end_of_utterance>",
    "pad_token": "<|im_end|>",
    "unk_token": "<|unk|>",
}
IMAGE_MARKS = {
    "image_token": "<image>",
    "fake_image_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
    "video_token": "<video>",
}


def make_tiny_smolvla(folder: Path) -> list[str]:
    """Write the tiny model's description into `folder`; returns the options that make LeRobot use it.

    The options follow `--policy.type=smolvla`. The folder's absolute path ends up in the checkpoint, so it
    must outlive it.
    """
    folder = folder.resolve()
    tokenizer = _tokenizer()
    _vlm_config(len(tokenizer), tokenizer.image_token_id).save_pretrained(folder)
    _processor(tokenizer).save_pretrained(folder)
    return [
        "--policy.type=smolvla",
        f"--policy.vlm_model_name={folder}",
        "--policy.load_vlm_weights=false",
        "--policy.num_vlm_layers=4",
        f"--policy.resize_imgs_with_padding=[{IMAGE_PX},{IMAGE_PX}]",
        "--policy.chunk_size=10",
        "--policy.n_action_steps=10",
        "--policy.num_steps=4",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
    ]


def _tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte: it reads any instruction, and no two alike."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = list(dict.fromkeys([*MARKS.values(), *IMAGE_MARKS.values(), *alphabet]))
    tokenizer = Tokenizer(
        models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[], unk_token="<|unk|>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, extra_special_tokens=IMAGE_MARKS, padding_side="right", **MARKS
    )


def _vlm_config(vocabulary: int, image_token_id: int) -> SmolVLMConfig:
    """Four small layers of language, two of vision."""
    return SmolVLMConfig(
        text_config=LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            head_dim=16,
            max_position_embeddings=1024,
        ),
        vision_config=SmolVLMVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=IMAGE_PX,
            patch_size=PATCH_PX,
        ),
        scale_factor=SCALE_FACTOR,
        image_token_id=image_token_id,
    )


def _processor(tokenizer: PreTrainedTokenizerFast) -> SmolVLMProcessor:
    """The pieces that LeRobot asks the model's folder for."""
    return SmolVLMProcessor(
        SmolVLMImageProcessor(), tokenizer, SmolVLMVideoProcessor(), image_seq_len=IMAGE_TOKENS
    )
