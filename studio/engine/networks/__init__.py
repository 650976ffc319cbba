"""Networks by what a plan names: loaded, kept under a byte budget, blended."""
