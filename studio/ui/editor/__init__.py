"""The row editor: the stack, the picture to start from, maps beside control images."""
