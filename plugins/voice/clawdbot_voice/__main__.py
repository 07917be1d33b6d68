"""``python -m clawdbot_voice [MODEL] [ENGINE]``: fetch a model ahead, and print where it is."""

import sys

from .fetch import main

sys.exit(main(sys.argv[1:]))
