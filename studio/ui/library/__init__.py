"""The Models tab: what there is, what is loaded, fetching from the hub."""
