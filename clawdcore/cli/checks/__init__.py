"""The checks of ``clawdbot doctor``, a module for each part of the world that they look at."""
