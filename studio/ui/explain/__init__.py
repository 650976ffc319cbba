"""Explain this picture: what each of its rows did, and the picture without one of them."""
