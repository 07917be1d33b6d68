"""What `chaos.py`, `soak.py`, `memory.py` and `latency.py` are made of.

The real program runs as a process of its own against the local Bot API server,
which runs here, so that its journal can be read: a site (a folder that the bot
lives in), a town (people and groups), books (what became of every message) and
canaries (words and bytes that must not be in any file).
"""
