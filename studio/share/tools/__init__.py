"""Pictures of other tools: what they write, read as presets."""
