"""Scores under pictures: computed once they are shown, by networks that are here, kept with them."""
