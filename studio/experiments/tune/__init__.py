"""The search for a trade-off between scores, and its front."""
