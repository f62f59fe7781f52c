"""What to train, for how long, and what came of it: arithmetic on datasets and curves, without lerobot or torch."""
