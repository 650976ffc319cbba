"""Which ω for my LoRA: a search on the page, its front as a plot whose points can be loaded."""
