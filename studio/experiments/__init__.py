"""Many pictures of one question: labelled grids of sweeps."""
