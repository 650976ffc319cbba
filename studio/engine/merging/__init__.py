"""Merging of models into one that is kept."""
