"""The simulated SO-101 as LeRobot devices, and the small policy."""
