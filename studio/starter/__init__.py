"""The recipe of the shipped models: data, training, export (``python -m studio.starter``)."""
