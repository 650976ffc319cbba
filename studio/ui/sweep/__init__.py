"""The Sweep tab: a grid over up to three fields, made by the code of the verb ``sweep``."""
