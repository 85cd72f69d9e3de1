"""One function with keyword arguments per command: finds run, shards or store, and does the work."""
