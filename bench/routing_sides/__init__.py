"""The frameworks that ``bench/routing.py`` measures: each does the same work its own way."""
