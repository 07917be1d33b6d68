"""What `hostile.py` is made of: plugins that do everything wrong, each in its own way."""
