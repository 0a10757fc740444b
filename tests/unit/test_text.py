"""What models wrote is printed without its control characters."""

import json
import math
import unicodedata

import pytest

from learnact.records.text import json_text, printable, spreadsheet_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, \u00fcml\u00e4ut, \u4f60\u597d", "plain text, \u00fcml\u00e4ut, \u4f60\u597d"),
        ("\x1b[2J\x1b]0;title\x07", "\u241b[2J\u241b]0;title\u2407"),
        ("\x9b31mred", "<U+009B>31mred"),
        ("a\rb\nc\td\x7f\x00", "a\u240db\u240ac\u2409d\u2421\u2400"),
        ("abc\u202edcba\u2066", "abc<U+202E>dcba<U+2066>"),
        ("half \ud83d pair", "half <U+D83D> pair"),
        ("two\u2028lines", "two<U+2028>lines"),
    ],
)
def test_control_characters_are_shown_and_not_sent(text, shown):
    assert printable(text) == shown


def test_line_ends_and_tabs_stay_where_several_lines_are_printed():
    assert printable("a\n\tb\r\x1b[1m", keep="\n\t") == "a\n\tb\u240d\u241b[1m"


def test_nothing_that_controls_a_terminal_is_left():
    every = "".join(map(chr, range(0x3000)))
    left = {c for c in printable(every) if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")}
    assert left == set()


@pytest.mark.parametrize(
    "text", ["=1+1", "=cmd|' /C calc'!A0", "+HYPERLINK(1)", "@SUM(A1)", "-2+3+cmd", "- cmd", "\t=1"]
)
def test_a_spreadsheet_computes_nothing_that_a_model_wrote(text):
    assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "-3.5", "+10 %", "pick(ball1)", "a=b"])
def test_what_is_no_formula_stays(text):
    assert spreadsheet_text(text) == text


def test_json_is_valid_and_controls_nothing():
    value = {"a": ("\x1b[2J\x9b\u202e\ud83d", math.nan, [1.5]), "b": "\u00fc"}
    text = json_text(value)
    assert json.loads(text) == {"a": ["\x1b[2J\x9b\u202e\ud83d", None, [1.5]], "b": "\u00fc"}
    assert printable(text) == text
    assert "\u00fc" in text
