"""``python -m clawdcore`` is the command ``clawdbot``."""

from .cli import main

if __name__ == "__main__":
    main()
