"""Many pictures at once: a pool hands jobs to workers, each with an engine of its own.

Workers are processes of this machine (:mod:`studio.workers.processes`), or Ray's actors on others
(:mod:`studio.workers.rays`). The pool knows neither: it talks to a :class:`studio.workers.crew.Crew`.
"""
