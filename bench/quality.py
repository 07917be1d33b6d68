"""How well the features do: languages named, sentences translated, speech and pictures read.

Each part (``bench/quality_parts``) prints a table of its own; the last line is the figures of
all as JSON. ``--only langid`` runs one. What can't run here says why and is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

PARTS = Path(__file__).with_name("quality_parts")


def main() -> None:
    """Run what was asked for."""
    names = sorted(path.stem for path in PARTS.glob("*.py") if not path.stem.startswith("_"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    sys.path.insert(0, str(PARTS.parent))
    found: dict[str, float] = {}
    skipped: dict[str, str] = {}
    for name in parser.parse_args().only:
        print(f"==== {name}", flush=True)
        try:
            found |= import_module(f"quality_parts.{name}").figures()
        except ModuleNotFoundError as error:
            skipped[name] = f"{error.name} is not installed here"
            print(f"SKIPPED: {skipped[name]}", flush=True)
    print(json.dumps({**found, "skipped": skipped}))


if __name__ == "__main__":
    main()
