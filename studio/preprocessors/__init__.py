"""From a person's picture to the map that a ControlNet reads."""
