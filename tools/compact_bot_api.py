"""Make `methods.json`, what the local Bot API server checks calls against.

Usage: python tools/compact_bot_api.py FULL.json > clawdcore/testing/botapi/methods.json

FULL.json describes the Bot API as data: ``methods`` maps a name to its
``fields`` (``name``, ``types``, ``required``), ``types`` maps an object's name to
its fields. The output keeps, one method a line, each parameter's types joined
by ``|``, a required parameter's name ending in ``!``, and the kinds of updates.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def compact(full: dict[str, Any]) -> str:
    """The compact form of a full description, as JSON text with stable order."""
    methods = {
        name: {
            field["name"] + ("!" if field["required"] else ""): "|".join(field["types"])
            for field in method.get("fields", [])
        }
        for name, method in sorted(full["methods"].items())
    }
    kinds = [f["name"] for f in full["types"]["Update"]["fields"] if f["name"] != "update_id"]
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(parameters)}" for name, parameters in methods.items()
    )
    return (
        "{\n"
        f' "version": {json.dumps(full["version"])},\n'
        f' "updates": {json.dumps(kinds)},\n'
        f' "methods": {{\n{lines}\n }}\n'
        "}\n"
    )


def main() -> int:
    """Read the file named on the command line, print the compact form."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    full = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(compact(full))
    return 0


if __name__ == "__main__":
    sys.exit(main())
