"""The page's settings: every one with its value and where it comes from, and how to change it."""
