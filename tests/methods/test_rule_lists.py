"""Lists of rules that a model edits: how lines are read, and what they do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.methods.rule_lists import ListedRule, Operation, edited, items, numbered, operations


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ADD: Look first.", Operation("ADD", 0, "Look first.")),
        ("- **ADD:** Look first", Operation("ADD", 0, "Look first.")),
        ("1. Add: `Look first.`", Operation("ADD", 0, "Look first.")),
        ("ADD (Corrected  Error): Look first.", Operation("ADD", 0, "Look first.", "corrected error")),
        ("EDIT 3: Look twice.", Operation("EDIT", 3, "Look twice.")),
        ("EDIT rule #3 - Look twice.", Operation("EDIT", 3, "Look twice.")),
        ("AGREE 2", Operation("AGREE", 2)),
        ("AGREE 2: Look first.", Operation("AGREE", 2, "Look first.")),
        ("* REMOVE 12.", Operation("REMOVE", 12)),
        ("REMOVE", None),
        ("EDIT: no number", None),
        ("ADD:", None),
        ("I would add: nothing.", None),
    ],
)
def test_a_line_is_read(line: str, expected: Operation | None) -> None:
    assert operations(f"Here:\n{line}\nThat is all.") == ((expected,) if expected else ())


def test_the_list_is_edited_in_expels_order_and_by_count() -> None:
    rules = (ListedRule("A.", 3), ListedRule("B.", 2), ListedRule("C.", 1))
    asked = operations("ADD: D.\nEDIT 2: B and more.\nAGREE 1\nREMOVE 3")
    assert edited(rules, asked, 20) == (
        ListedRule("A.", 4),
        ListedRule("B and more.", 3),
        ListedRule("D.", 2),
    )


def test_an_addition_that_holds_a_rule_adds_nothing_and_a_full_list_takes_none() -> None:
    rules = (ListedRule("Look first.", 2),)
    assert edited(rules, operations("ADD: Always look first."), 20) == rules
    assert edited(rules, operations("ADD: Something else."), 1) == rules
    assert edited((ListedRule("A.", 3), ListedRule("B.", 2)), operations("REMOVE 1"), 2) == (
        ListedRule("B.", 2),
    )


def test_items_are_read_from_a_list_or_line_by_line() -> None:
    assert items("The manual:\n- Look first.\n- Then act.\n") == ("Look first.", "Then act.")
    assert items("Look first.\nThen act.") == ("Look first.", "Then act.")


texts = st.text(st.characters(codec="utf-8"), max_size=80)


@given(
    st.lists(st.builds(ListedRule, st.sampled_from(["A.", "B.", "C."]), st.integers(1, 5)), max_size=5), texts
)
def test_whatever_is_replied_the_list_stays_a_list(rules: list[ListedRule], reply: str) -> None:
    after = edited(rules, operations(reply), 5)
    assert len(after) <= 5
    assert all(rule.count > 0 and rule.text for rule in after)
    assert [rule.count for rule in after] == sorted((rule.count for rule in after), reverse=True)
    assert numbered(after).count("\n") == max(0, len(after) - 1)
