"""The verbs of ``python -m studio``, one file each, each a thin call."""

# In the order of the help; studio/cli/NAME.py declares verb NAME in ``add_verb``.
VERBS = (
    "page",
    "generate",
    "explain",
    "sweep",
    "evaluate",
    "tune",
    "experiment",
    "plan",
    "code",
    "inspect",
    "caption",
    "history",
    "models",
    "schema",
    "styles",
    "gallery",
    "download",
    "convert",
    "train",
    "bench",
    "settings",
    "plugins",
    "doctor",
)
