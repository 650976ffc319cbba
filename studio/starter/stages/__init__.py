"""The stages of the recipe, each resumable: ``python -m studio.starter --stage NAME``."""
