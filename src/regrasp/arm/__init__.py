"""The SO-101: joint order, units, limits, home pose. A source stands beside each number."""
