"""What a learner is told about a reply of which not all could be used."""

from learnact.methods.learner_replies import MAX_TEXT, shortened
from tests.methods.following import FETCH, follow
from tests.methods.test_learnact import DESCRIBED, NOTE, ONE, USAGE

LONG = "Does: " + "; ".join(["pick(ball, start, 'left')"] * 60)
LOSES = [("act", "fetch('ball1', 'roomb', 'rooma', 'left')"), ("act", "move('rooma', 'roomb')")]
STAYS = [("act", "move('rooma', 'roomb')"), ("act", "move('roomb', 'rooma')")]
TESTED = [("act", "move('rooma', 'roomb')"), ("act", "move('roomb', 'rooma')")] * 2


async def test_a_description_over_the_limit_is_refused_with_the_limit_and_never_cut_in_a_call():
    lines = [("create", FETCH), USAGE, ("describe", LONG), DESCRIBED, *LOSES, *TESTED]
    followed = await follow("learnact", lines, *ONE, "learner.iterations=0")
    first, second = (
        said.prompt.messages()[-1].content for said in followed.said if said.purpose == "describe"
    )
    assert f"one line of at most {MAX_TEXT} characters" in first
    assert f"The description has {len(LONG)} characters; at most {MAX_TEXT} are allowed." in second
    assert followed.library.actions[0].description == "Carries a ball from the room start to the room end."


async def test_a_description_that_stays_too_long_keeps_whole_calls():
    lines = [("create", FETCH), USAGE, ("describe", LONG), ("describe", LONG), *LOSES, *TESTED]
    followed = await follow("learnact", lines, *ONE, "learner.iterations=0")
    kept = followed.library.actions[0].description
    assert MAX_TEXT - 30 < len(kept) <= MAX_TEXT
    assert LONG.startswith(kept)
    assert kept.endswith("pick(ball, start, 'left')")


async def test_a_note_over_the_limit_is_refused():
    note = NOTE + " And so on." * 200
    lines = [
        ("create", FETCH),
        USAGE,
        DESCRIBED,
        *LOSES,
        ("improve", note),
        ("improve", NOTE),
        USAGE,
        *STAYS,
        *TESTED,
    ]
    followed = await follow("learnact", lines, *ONE, "learner.iterations=1")
    first, second = (
        said.prompt.messages()[-1].content for said in followed.said if said.purpose == "improve"
    )
    assert f"one line of at most {MAX_TEXT} characters" in first
    assert f"characters; at most {MAX_TEXT} are allowed." in second
    assert [r.origin for r in followed.notes.candidates.values()] == ["create", "incumbent", "note"]


async def test_old_code_that_is_quoted_beside_a_note_is_a_note():
    code = FETCH.partition("\nUsage:")[0]
    note = f"The function is\n{code}\n{NOTE}"
    lines = [("create", FETCH), USAGE, DESCRIBED, *LOSES, ("improve", note), USAGE, *STAYS, *TESTED]
    followed = await follow("learnact", lines, *ONE, "learner.iterations=1")
    assert [r.origin for r in followed.notes.candidates.values()] == ["create", "incumbent", "note"]


async def test_what_was_left_out_of_the_code_is_told_where_the_rest_is_refused():
    trace = "```\npick('ball1', 'rooma', 'left')\n```\n"
    refused = trace + FETCH.replace("move(", "walk(")
    lines = [("create", refused), ("create", FETCH), USAGE, DESCRIBED, *LOSES, *TESTED]
    followed = await follow("learnact", lines, *ONE, "learner.iterations=0")
    told = followed.said[1].prompt.messages()[-1].content
    assert "Block 1 of the answer was left out: it defines no function." in told


def test_a_text_is_shortened_to_whole_sentences_outside_of_brackets():
    text = "Go (see f('a. b'). or g) there. Then call carry('ball 1. x', 'y'). Done."
    assert shortened(text, len(text)) == text
    assert (
        shortened(text, len(text) - 1) == "Go (see f('a. b'). or g) there. Then call carry('ball 1. x', 'y')."
    )
    assert shortened(text, 60) == "Go (see f('a. b'). or g) there."
    assert shortened(text, 20) == ""
