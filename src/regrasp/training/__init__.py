"""What to train, and for how long: arithmetic on datasets, without lerobot or torch."""
