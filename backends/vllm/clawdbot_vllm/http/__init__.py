"""HTTP/1.1 to a few servers that are asked thousands of times a second.

Only what a call needs: requests with a body in one piece, answers that stream, and
connections that are kept. Why it is our own: docs/adr/0014-http-client.md.
"""

from __future__ import annotations

from .connection import Cut, Garbled, HttpError, Response, Unreachable
from .pool import Pool

__all__ = ["Cut", "Garbled", "HttpError", "Pool", "Response", "Unreachable"]
