"""The JSON5 reader: values, places, and errors that say what to write."""

from __future__ import annotations

import cProfile
import json
import pstats
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.config.node import Loc, Node, path_text, quoted
from clawdcore.config.source import MAX_BYTES, MAX_DEPTH, decode, read
from clawdcore.errors import ConfigSyntaxError


def plain(text: str) -> object:
    return read(text, "f").plain()


def failure(text: str) -> ConfigSyntaxError:
    with pytest.raises(ConfigSyntaxError) as caught:
        read(text, "clawdbot.json")
    assert "\n" not in str(caught.value)
    assert caught.value.fix
    return caught.value


def test_reads_all_that_json5_has() -> None:
    assert plain(r"""
        // a comment
        { unquoted: 'and you can quote me on that', "double": "\u0041\x42\n\'\"\\\/\v", } /* end */
    """) == {"unquoted": "and you can quote me on that", "double": "AB\n'\"\\/\v"}
    assert plain("{h: 0xdecaf, d: .8675309, t: 8675309., p: +1, e: -1e-1, n: null,}") == {
        "h": 0xDECAF,
        "d": 0.8675309,
        "t": 8675309,
        "p": 1,
        "e": -0.1,
        "n": None,
    }
    assert plain(
        '{$_: [true, false, [], {},], "trailing\\\r\n line": 1, \\u0061b: 2, null: 3}'
    ) == {
        "$_": [True, False, [], {}],
        "trailing line": 1,
        "ab": 2,
        "null": 3,
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\\u0041"', r"\u0041"),
        (r'"\\x41"', r"\x41"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\a\q"', "aq"),
        ('"\u2028"', "\u2028"),
        ("1e3", 1000),
        ("8.0", 8),
        ("2.5", 2.5),
        ("-0x10", -16),
    ],
)
def test_reads_values_as_javascript_does(written: str, value: object) -> None:
    found = read(f"{{a: {written}}}", "f").members["a"].value
    assert (found, type(found)) == (value, type(value))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_reads_json_as_the_standard_library_does(
    value: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert plain(text) == json.loads(text)


def marked(node: Node, loc: Loc = ()) -> Iterator[tuple[str, int, int]]:
    for _, inner in node.walk():
        if isinstance(inner.value, str):
            yield inner.value, inner.line, inner.column


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_are_those_that_editors_show(end: str) -> None:
    lines = [
        "{ a: '1:6', /* over",
        "two lines */ b: '2:17',",
        "\tc: '3:5', \u2028 // to the end",
        "  ü: '4:6', \"日本\": ['4:20', '4:28'],",
        "  d: 'a\\",
        "b', e: '6:8',",
        "  f:",
        "     '8:6' }",
    ]
    root = read(end.join(lines), "f")
    places = {text: f"{line}:{column}" for text, line, column in marked(root)}
    del places["ab"]
    assert places == {text: text for text in places}
    assert len(places) == 8
    assert (root.members["日本"].key_line, root.members["日本"].key_column) == (4, 13)


def test_a_byte_order_mark_is_no_column() -> None:
    node = read(decode(b"\xef\xbb\xbf{a: 1}", "f"), "f")
    assert (node.members["a"].key_line, node.members["a"].key_column) == (1, 2)
    assert failure("\ufeff{a 1}").where == "clawdbot.json:1:3"


@pytest.mark.parametrize(
    ("text", "where", "what", "fix"),
    [
        ("", "1:1", "the file is empty.", "{}"),
        ("// only this", "1:13", "the file is empty.", "{}"),
        ("[1]", "1:1", "must begin with {", "between { and }"),
        ("{a: 1} b", "1:8", "something follows the }", "Remove it"),
        ("{a 1}", "1:3", 'a colon is missing after the key "a"', "key: value"),
        ("{a: 1\n b: 2}", "1:6", "a comma or } is missing", "Add a comma"),
        ("{a: [1 2]}", "1:7", "a comma or ] is missing", "Add a comma"),
        ("{a: [1,, 2]}", "1:8", "a value is missing before this comma", "remove the comma"),
        ("{a: 1,, b: 2}", "1:7", "a comma too many", "Remove it"),
        ("{a: }", "1:5", "a value is missing here", "null"),
        ("{\n a: {b: 1,\n", "3:1", "ends before the { of line 2 is closed", "missing }"),
        ("{a: [1,", "1:8", "ends before the [ of line 1 is closed", "missing ]"),
        ("{a: [1}", "1:7", "} does not close the [ of line 1", "Write ]"),
        ("{a: {b: 1]", "1:10", "] does not close the { of line 1", "Write }"),
        ('{a: "b}', "1:5", "the text that begins here is not closed", 'Close it with "'),
        ('{a: "b\n"}', "1:5", "the text that begins here is not closed", "\\n"),
        ("{a: /* 1}", "1:5", "this comment is not closed", "*/"),
        ("{a: open}", "1:5", "text must be in quotes", "…"),
        ("{a: True}", "1:5", "True is no JSON5 value", "Write true."),
        ("{a: undefined}", "1:5", "undefined is no JSON5 value", "Write null."),
        ("{a: NaN}", "1:5", "NaN is of no use", "a number"),
        ("{a: -Infinity}", "1:5", "infinities and NaN", "a number"),
        ("{a: 1e999}", "1:5", "too large", "smaller"),
        ("{a: " + "9" * 101 + "}", "1:5", "too long", "fewer"),
        ("{a: 012}", "1:5", "runs into other characters", "leading zeros"),
        ("{a: 10s}", "1:5", "runs into other characters", "units"),
        ("{a: 123:abc}", "1:8", "a comma or } is missing", "put text in quotes"),
        ("{a: “b”}", "1:5", "typographic quotes", "straight"),
        ("{-100: 1}", "1:2", "a key, or }, must stand here", "in quotes"),
        ('{a: "\\u12"}', "1:6", "\\u needs 4 hexadecimal digits", "\\\\"),
        ('{a: "\\x4"}', "1:6", "\\x needs 2 hexadecimal digits", "\\\\"),
        ('{a: "\\1"}', "1:6", "before a digit", "\\\\"),
        ('{a: "\\0"}', "1:5", "a NUL character", "Remove"),
        ('{a: "\\ud800"}', "1:5", "half a character", "both halves"),
        ("{a: 1}\0", "1:7", "a NUL byte", "anew"),
        ("{a\\b: 1}", "1:3", "this backslash can't stand in a key", "Remove"),
    ],
)
def test_errors_say_where_and_what_to_write(text: str, where: str, what: str, fix: str) -> None:
    error = failure(text)
    assert error.where == f"clawdbot.json:{where}"
    assert what in error.what
    assert fix in error.fix


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    error = failure('{\n  port: 1,\n  "p\\u006frt": 2,\n}')
    assert error.where == "clawdbot.json:3:3"
    assert 'the key "port" is given twice; the first is in line 2.' in error.what


def test_nesting_is_bounded() -> None:
    assert plain("{a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}")
    assert "64 levels" in failure("{a: " + "[" * MAX_DEPTH).what
    assert "64 levels" in failure("{a:" * 100_000).what


def test_bytes_that_are_no_utf8_text_are_refused() -> None:
    with pytest.raises(ConfigSyntaxError, match=r"f:2:3: the file is not UTF-8 here\. Save"):
        decode("{\nä".encode() + b"x\xff}", "f")
    with pytest.raises(ConfigSyntaxError, match="encoded as UTF-16"):
        decode("{}".encode("utf-16"), "f")
    with pytest.raises(ConfigSyntaxError, match="larger than 1 MiB"):
        decode(b" " * (MAX_BYTES + 1), "f")


def refusal(data: bytes) -> str:
    """Why ``data`` can't be read, or ""."""
    try:
        read(decode(data, "f"), "f")
    except ConfigSyntaxError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("{}[]:,'\"\\/*ux0123abc \n\r\u2028+-.eE$", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    why = refusal(text.encode("utf-8", "surrogatepass"))
    assert not why or (why.startswith("f:") and len(why.splitlines()) == 1)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    why = refusal(data)
    assert not why or why.startswith("f:")


def test_a_large_file_takes_linear_time() -> None:
    entry = '"key %d": {a: 1, b: [1, 2, "x"], c: true},\n'

    def steps(count: int) -> int:
        """How many calls it takes, which is the same on every machine."""
        text = "{" + "".join(entry % index for index in range(count)) + "}"
        profile = cProfile.Profile()
        assert len(profile.runcall(read, text, "f").members) == count
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    assert steps(2000) < 2.5 * steps(1000)


def test_paths_are_written_as_they_can_be_typed() -> None:
    loc: Loc = ("models", "providers", "a.b", "models", 0, "id")
    assert path_text(loc) == 'models.providers["a.b"].models[0].id'
    assert path_text(("groups", "-100")) == 'groups["-100"]'
    assert path_text(("plugins", "[]", "name")) == "plugins[].name"


@settings(deadline=None)
@given(st.text())
def test_quoted_text_is_one_short_line(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) <= 2 + 60 * len("\\uffff") + 4
