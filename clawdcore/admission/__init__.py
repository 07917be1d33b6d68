"""Who goes next, who is refused, and how many at once: admission to a model server."""
