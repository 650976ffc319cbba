"""Every attack, in the order of the page's table."""

from studio.hard import (  # noqa: F401 - they register their attacks
    asked,
    disk,
    documents,
    exhausted,
    histories,
    home,
    models,
    people,
    soak,
    threads,
    training_files,
    trainings,
    visitors,
)
