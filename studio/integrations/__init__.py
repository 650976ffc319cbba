"""The studio's rows in other people's code: scripts, command lines, diffusers' own pipelines."""
