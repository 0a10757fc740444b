"""The selector's terms, score and choice (docs/method.md, section 2, step 3)."""

from hypothesis import given
from hypothesis import strategies as st

from learnact.methods.selector import best, score, terms
from learnact.records import EpisodeResult, Terms, Turn


def turn(index, kind="action", learned=False, ok=True):
    said = {"raw": "", "said": "", "call": "", "callee": "", "observation": "", "progress": 0.0}
    return Turn(index=index, kind=kind, learned=learned, ok=ok, **said)


def result(success, *turns):
    return EpisodeResult(success, float(success), "goal", "first", tuple(turns))


def test_terms_are_pooled_over_tasks_and_thoughts_do_not_count():
    won = result(True, turn(0, learned=True), turn(1, "thought"), turn(2))
    lost = result(False, turn(0, learned=True, ok=False), turn(1, "unreadable", ok=False), turn(2, ok=False))
    assert terms([won, lost]) == Terms(
        success=0.5, progress=0.5, step_correctness=0.5, call_ratio=0.25, call_share=0.5
    )


def test_without_learned_calls_the_step_terms_are_zero():
    assert terms([result(True, turn(0))]) == Terms(success=1.0, progress=1.0)
    assert terms([]) == Terms()


def test_the_score_is_the_sum_of_the_named_terms():
    of = Terms(success=1.0, step_correctness=0.5, call_ratio=0.25)
    assert score(of, ("success", "call_ratio")) == 1.25


def test_ties_keep_the_earlier_and_the_uncreated_cannot_win():
    assert best([None, 1.0, 2.0, 2.0]) == 2
    assert best([None, None]) is None


@given(st.lists(st.none() | st.floats(0, 3), max_size=8))
def test_nothing_scores_higher_than_the_best(scores):
    chosen = best(scores)
    known = [s for s in scores if s is not None]
    assert (chosen is None) == (not known)
    if chosen is not None:
        assert scores[chosen] == max(known)
        assert scores.index(scores[chosen]) == chosen
