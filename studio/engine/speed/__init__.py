"""The same numbers sooner: attention, work shared between passes, how networks run on a device."""
