"""The Presets tab."""
