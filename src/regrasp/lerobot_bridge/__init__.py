"""All that imports lerobot or torch: recording, training, policies, rollouts."""
