"""The HTTP gateway: OpenAI's API over the same admission as messages, health, metrics."""
