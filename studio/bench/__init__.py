"""The benchmark: what the engine's reductions are worth on this machine, measured in one run."""
