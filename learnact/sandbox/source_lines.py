"""Lines of Python source as CPython counts them."""

from __future__ import annotations


def source_lines(text: str) -> list[str]:
    """The lines of Python source. Only a newline, a carriage return, or both end a line.

    `str.splitlines` also ends lines at form feed, vertical tab, NEL, U+2028 and others. Line numbers of
    syntax trees and of errors do not count these.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
