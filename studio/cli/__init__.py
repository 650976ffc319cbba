"""The verbs of ``python -m studio``, each a thin call."""
