"""One file per intervention on recorded observations; each registers itself with `diagnosis.probe.probe`."""
