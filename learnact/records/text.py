"""Text that models and learned code wrote, made safe to show."""

from __future__ import annotations

import json
import math
import re

_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0 and C1 controls (escape sequences begin with one), line separators, text direction controls, lone
surrogates."""
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!(?:[\d\s.,%()eE+-]|to)*$)")
"""What a spreadsheet computes; numbers and intervals, `+12.5 (-27 to +52)`, are not meant."""


def printable(text: str, keep: str = "") -> str:
    """The text without characters that control a terminal; use it for all that models or learned code wrote.

    C0 controls become their pictures (ESC: U+241B), others `<U+009B>`. `keep` lists control characters that
    stay as they are, e.g. "\\n\\t" where several lines may be printed.
    """
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _stand_in(found[0]), text)


def _stand_in(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def json_text(value: object) -> str:
    """A value as JSON in one line; null for NaN, escapes for characters that control a terminal."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def spreadsheet_text(text: str) -> str:
    """The text as a cell of a CSV file that a spreadsheet never computes: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if _FORMULA.match(text) else text
