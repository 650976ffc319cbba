"""From a plan to what the denoiser runs: every prompt, control image and picture once."""
