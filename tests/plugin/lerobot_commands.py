"""How the tests call LeRobot's commands: in this process, with these options."""

import logging
import signal
import sys
from collections.abc import Callable

ROBOT = ("--robot.type=so101_twin", "--robot.seed=7")
EXPERT = ("--teleop.type=so101_twin_expert",)
QUIET = ("--dataset.push_to_hub=false", "--dataset.no_stamp=true", "--play_sounds=false")
TINY_ACT = (
    "--policy.type=act",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=32",
    "--policy.dim_feedforward=32",
    "--policy.n_heads=2",
    "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1",
    "--policy.chunk_size=5",
    "--policy.n_action_steps=5",
)


def run_command(main: Callable[[], None], *options: str) -> None:
    """Run one of LeRobot's commands as the shell would, and leave this process as it was."""
    root = logging.getLogger()
    before = (
        sys.argv,
        root.level,
        root.handlers[:],
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    )
    sys.argv = [main.__module__, *options]
    try:
        main()
    finally:
        sys.argv, level, root.handlers[:], interrupt, terminate = before
        root.setLevel(level)
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)
