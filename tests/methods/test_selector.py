"""The selector's terms, score and choice (docs/method.md, section 2, step 3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.methods.selector import IDLE, best, score, scored, terms
from learnact.methods.training import PlayedEpisode
from learnact.records import (
    Budget,
    Candidate,
    EpisodeResult,
    Library,
    PrimitiveStep,
    Rules,
    Terms,
    Tokens,
    Turn,
)
from tests.methods.test_learning_round import FUNCTIONS, learn, names, scripted
from tests.results import material
from tests.scripted import Notes

EPISODE = replace(material.episode(phase="learn"), budget=Budget(turns=10))
ROW = Candidate("trial", 0, 0, "library", "", "create")
STEP = PrimitiveStep("move('rooma', 'roomb')", True, "Now: you are in roomb.")


def turn(index, kind="action", learned=False, ok=True, steps=(STEP,)):
    said = {"raw": "", "said": "", "call": "", "callee": "", "observation": "", "progress": 0.0}
    return Turn(index=index, kind=kind, learned=learned, ok=ok, steps=steps, **said)


def played(success, *turns, tokens=Tokens()):
    result = EpisodeResult(success, float(success), "goal", "first", tuple(turns), tokens)
    return PlayedEpisode(EPISODE, result)


def candidate(score, turns=0, tokens=0, excluded=""):
    return replace(ROW, score=score, played_turns=turns, played_tokens=tokens, excluded=excluded)


def test_terms_are_pooled_over_tasks_and_thoughts_do_not_count():
    won = played(True, turn(0, learned=True), turn(1, "thought"), turn(2))
    lost = played(False, turn(0, learned=True, ok=False), turn(1, "unreadable", ok=False), turn(2, ok=False))
    assert terms([won, lost]) == Terms(
        success=0.5, progress=0.5, step_correctness=0.5, call_ratio=0.25, call_share=0.5, turns=0.35
    )


def test_without_learned_calls_the_step_terms_are_zero():
    assert terms([played(True, turn(0))]) == Terms(1.0, 1.0, 0.0, 0.0, 0.0, 0.9)


def test_without_an_episode_no_term_and_no_score_is_known():
    assert terms([]) == Terms()
    assert score(Terms(), ("success", "call_ratio")) is None


def test_the_score_is_the_sum_of_the_named_terms():
    of = Terms(success=1.0, step_correctness=0.5, call_ratio=0.25, turns=0.5)
    assert score(of, ("success", "call_ratio")) == 1.25
    assert score(of, ("success", "turns")) == 1.5


@pytest.mark.parametrize(
    ("rule", "can_win"), [(Rules(), False), (Rules(empty_call="successful"), True)], ids=["ours", "published"]
)
def test_a_library_whose_calls_made_no_primitive_cannot_win(rule, can_win):
    """30 empty calls, against 2 of 3 tasks solved with calls of which some fail."""
    empty = [played(False, *(turn(n, learned=True, ok=can_win, steps=()) for n in range(10)))] * 3
    solves = [played(won, turn(0, learned=True), turn(1, learned=True, ok=False)) for won in (1, 1, 0)]
    names = ("success", "step_correctness", "call_ratio")
    idle, useful = (scored(ROW, episodes, names, rule) for episodes in (empty, solves))
    assert idle.score == (2.0 if can_win else 0.0)
    assert useful.score == pytest.approx(2 / 3 + 1 / 2 + 1 / 2)
    assert idle.excluded == ("" if can_win else IDLE)
    assert best([idle, useful]) == (0 if can_win else 1)


def test_an_empty_library_and_one_that_is_not_called_can_win():
    """Also where every task was solved with primitives alone beside empty calls, the idle one is out."""
    primitives = scored(ROW, [played(True, turn(0))], ("success",), Rules())
    beside = scored(ROW, [played(True, turn(0, learned=True, steps=()), turn(1))], ("success",), Rules())
    assert (primitives.excluded, beside.excluded) == ("", IDLE)
    assert best([beside, primitives]) == 1
    assert best([beside]) is None


def test_what_was_played_stands_with_the_score():
    row = scored(ROW, [played(True, turn(0), turn(1), tokens=Tokens(100, 50, 7, 3))] * 2, (), Rules())
    assert (row.played_turns, row.played_tokens) == (4, 214)


def test_ties_go_to_fewer_turns_then_fewer_tokens_then_the_earlier():
    rows = [candidate(1.0, 9, 9), candidate(2.0, 9, 1), candidate(2.0, 5, 9), candidate(2.0, 5, 8)]
    assert best([*rows, candidate(2.0, 5, 8)]) == 3
    assert best([*rows, candidate(2.0, 5, 8)], "earlier") == 1


def test_sums_that_differ_in_their_last_binary_digit_are_equal():
    assert best([candidate(0.1 + 0.2, 9), candidate(0.3, 5)]) == 1


def test_what_has_no_score_or_is_excluded_cannot_win():
    assert best([candidate(None), candidate(3.0, excluded=IDLE), candidate(1.0)]) == 2
    assert best([candidate(None), candidate(3.0, excluded=IDLE)]) is None
    assert best([]) is None


@given(st.lists(st.tuples(st.none() | st.floats(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=8))
def test_nothing_that_can_win_is_better_than_the_best(rows):
    able = [(-round(s, 9), turns, tokens, n) for n, (s, turns, tokens) in enumerate(rows) if s is not None]
    assert best([candidate(*row) for row in rows]) == (min(able)[-1] if able else None)


IDLER = "```python\ndef ponder(ball):\n    return 'carry ' + ball\n```\nUsage: ponder('ball1')"
MOVER = "```python\ndef hop(start, end):\n    move(start, end)\n    move(end, start)\n```\nUsage: hop({})"
THERE, BACK = "'rooma', 'roomb'", "'roomb', 'rooma'"


def idler_and_mover():
    """The first proposal does nothing at all; with the second, one call fails and the others work."""

    def create(text):
        here = names(text)["here"]
        first = not chat.created
        chat.created += 1
        return IDLER if first else MOVER.format(THERE if here == "rooma" else BACK)

    def act(text):
        if "ponder" in text:
            return "ponder('ball1')"
        said = text.split("## So far")[1] if "## So far" in text else ""
        here = names(text)["here"]
        return f"hop({THERE if (here == 'rooma') == bool(said) else BACK})"

    chat = scripted(create=create, act=act)
    chat.created = 0
    return chat


@pytest.mark.parametrize(("rules", "winner"), [((), "hop"), (("rules.empty_call=successful",), "ponder")])
async def test_learning_prefers_functions_that_do_something(rules, winner):
    notes = Notes()
    settings = ("learner.candidates=2", "learner.iterations=0", "budget.learn.turns=3", *rules)
    settings += ("learner.check=exceptions",)
    learned = await learn(idler_and_mover(), *settings, notes=notes)
    assert [action.name for action in learned.library.actions] == [winner]
    assert [row.excluded for _, row in sorted(notes.candidates.items())] == (
        [IDLE, ""] if winner == "hop" else ["", ""]
    )


async def test_where_no_library_does_anything_the_agent_plays_without_one():
    chat = scripted(create=lambda text: IDLER, act=lambda text: "ponder('ball1')")
    notes = Notes()
    learned = await learn(chat, "learner.candidates=1", "budget.learn.turns=2", notes=notes)
    assert learned.library == Library()
    assert [(row.excluded, row.selected) for row in notes.candidates.values()] == [(IDLE, False)]


@pytest.mark.parametrize(("ties", "winner"), [("efficient", "second"), ("earlier", "first")])
async def test_of_equal_scores_the_one_with_fewer_turns_wins(ties, winner):
    """Both solve every task without calling their function, the second in fewer turns."""
    numbers = iter(("first", "second"))

    def act(text):
        kept = text.split("## Your task")
        ball, here, there = names(text).values()
        done = kept[1].count("Action: ") - 1
        plan = [f"move('{here}', '{there}')", f"move('{there}', '{here}')"] if "first(" in kept[0] else []
        return [*plan, f"pick('{ball}', '{here}', 'left')", f"move('{here}', '{there}')",
                f"drop('{ball}', '{there}', 'left')"][done]  # fmt: skip

    chat = scripted(
        create=lambda text: FUNCTIONS.format(**names(text)).replace("fetch", next(numbers)),
        usage=lambda text: "Action: move('rooma', 'roomb')",
        act=act,
    )
    settings = ("learner.candidates=2", "learner.iterations=0", f"learner.ties={ties}")
    domain = ("domain_options.gripper.balls=1", "domain_options.gripper.train=1")
    learned = await learn(chat, *settings, *domain)
    assert [action.name for action in learned.library.actions] == [winner]
