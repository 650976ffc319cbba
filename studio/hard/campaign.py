"""Every attack, in the order of the page's table."""

from studio.hard import (  # noqa: F401 - they register their attacks
    disk,
    documents,
    exhausted,
    home,
    models,
    soak,
    threads,
    training_files,
    trainings,
)
