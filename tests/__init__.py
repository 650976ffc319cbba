"""The suite; the tree of ``studio/``, with helpers in ``support/``."""
