"""Check functions that a job names."""

from learnact.domains.mcp.environment import Checked


def half_then_whole(checked: Checked) -> float:
    """Half for each call of the tool `print`."""
    return sum(call.tool == "print" for call in checked.calls) / 2


def written(checked: Checked) -> bool:
    """Whether the file is there, seen by a tool and in the folder."""
    there = (checked.folder / "a.txt").is_file()
    return there and checked.call("read-file", {"path": "{folder}/a.txt"}) == "hello"


def broken(checked: Checked) -> bool:
    raise ZeroDivisionError("no")
