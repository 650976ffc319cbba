"""Helpers of the tests: tiny random models, a fake engine, a person at the page."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
