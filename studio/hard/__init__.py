"""Attacks on the studio with figures: ``python -m studio.hard [--minutes N] [--seed S]``."""
