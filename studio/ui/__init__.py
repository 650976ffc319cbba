"""The page: a view of one :class:`~studio.preset.Preset`, drawn with Gradio."""
