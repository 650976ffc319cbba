"""What the starter models learn from: drawings, their composition and captions."""
