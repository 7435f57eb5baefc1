"""One folder for each catalogue: the store, and the caches that are made again from it."""
