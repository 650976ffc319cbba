"""What is made of a picture: variations, a larger one, more around it, and a preset over many."""
