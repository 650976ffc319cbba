"""What is added to a network for some samples of a batch: LoRA and its relatives, words, pictures."""
