"""Questions over articles: the published scores, the published file, and how an answer ends an episode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.domains.hotpotqa.scoring import exact_match, f1
from learnact.domains.registry import build
from learnact.errors import TaskError
from learnact.records import DomainSpec, canonical

ENTRY = {
    "_id": "5a8b57f25542995d1e6f1371",
    "question": "Were both of the mills built in the same year?",
    "answer": "yes",
    "supporting_facts": [["Old Mill", 0], ["New Mill", 0]],
    "context": [
        ["Old Mill", ["The Old Mill was built in 1801.", " It grinds rye."]],
        ["New Mill", ["The New Mill was built in 1801."]],
        ["Old Oak", ["The Old Oak is a tree."]],
    ],
}


def domain(**options):
    return build(DomainSpec("hotpotqa", canonical(options)))


@pytest.mark.parametrize(
    ("said", "gold", "em", "score"),
    [
        ("The Eiffel Tower!", "eiffel tower", True, 1.0),
        ("tower", "Eiffel Tower", False, 2 / 3),
        ("yes", "yes", True, 1.0),
        ("yes it is", "yes", False, 0.0),
        ("no", "nothing", False, 0.0),
        ("a b b", "b b c", False, 4 / 5),
        ("Paris", "London", False, 0.0),
    ],
)
def test_answers_are_scored_as_published(said, gold, em, score):
    assert exact_match(said, gold) == em
    assert f1(said, gold) == pytest.approx(score)


def official(said: str, gold: str) -> tuple[bool, float]:
    """Exact match and F1 after the description of the official evaluation, written apart from ours: words are
    found by walking over the characters, and common words are struck off one by one."""

    def words(text: str) -> list[str]:
        kept = "".join("" if c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" else c for c in text.lower())
        parts, word = [], ""
        for c in kept + " ":
            if c.isalnum() or c == "_":
                word += c
            else:
                parts += [" " if word in ("a", "an", "the") else word, c]
                word = ""
        return "".join(parts).split()

    mine, right = words(said), words(gold)
    closed = (["yes"], ["no"], ["noanswer"])
    if mine != right and (mine in closed or right in closed):
        return False, 0.0
    left, common = list(right), 0
    for word in mine:
        if word in left:
            left.remove(word)
            common += 1
    if common == 0:
        return mine == right, 0.0
    precision, recall = common / len(mine), common / len(right)
    return mine == right, 2 * precision * recall / (precision + recall)


ANSWER = st.one_of(
    st.lists(st.sampled_from(["The", "a", "yes", "no", "Elm", "elm.", "U.S.", "an", "1,000", "d'Or", "-"]))
    .map(" ".join),
    st.text(alphabet="aAn theyso.,'-_é1", max_size=20),
)  # fmt: skip


@given(ANSWER, ANSWER)
def test_scores_are_those_of_a_second_implementation(said: str, gold: str):
    em, score = official(said, gold)
    assert exact_match(said, gold) == em
    assert f1(said, gold) == pytest.approx(score)


def real_shaped(number: int) -> dict:
    """An entry as the published file has them: ten paragraphs, sentences that begin with a blank, an empty
    one, titles with signs, all fields."""
    context = [
        [f"Title {n} (film) & Co. – {number}", [f"Sentence one of {n}.", " It has a second.", "", " Café Ω."]]
        for n in range(10)
    ]
    supporting = [[context[3][0], 0], [context[7][0], 1], [context[3][0], 2]]
    return {
        "_id": f"5a8b57f25542995d1e6f{number:04d}", "answer": f"Café Ω {number}",
        "question": f"Which café has number {number}?", "supporting_facts": supporting, "context": context,
        "type": "bridge" if number % 2 else "comparison", "level": ("easy", "medium", "hard")[number % 3],
    }  # fmt: skip


def test_fifty_entries_as_they_are_published_are_solved_by_their_supporting_articles(tmp_path: Path):
    file = tmp_path / "hotpot_dev_distractor_v1.json"
    file.write_text(json.dumps([real_shaped(n) for n in range(60)]), encoding="utf-8")
    played = domain(source=str(file), train=3, test=50)
    assert len(played.tasks("test")) == 50
    for task in played.tasks("test"):
        environment, plan = played.open(task), played.reference_plan(task)
        assert [call.name for call in plan] == ["search", "search", "finish"]
        for call in plan:
            step = environment.call(call.name, call.arguments, {})
            assert step.valid, step.observation
        assert (step.success, step.progress) == (True, 1.0)
    assert task.labels["index"] == 52
    assert played.open(task).call("finish", ["the café ω 52!"], {}).success


def test_a_published_file_is_played(tmp_path: Path):
    file = tmp_path / "hotpot_dev_distractor_v1.json"
    file.write_text(json.dumps([{**ENTRY, "_id": str(n), "question": f"{n}?"} for n in range(4)]))
    played = domain(source=str(file), train=1, test=2)
    assert [task.name for task in played.tasks("train")] == ["0"]
    assert [task.name for task in played.tasks("test")] == ["1", "2"]
    environment = played.open(played.tasks("test")[0])
    assert environment.call("lookup", ["rye"], {}).observation.endswith(
        "No article is open; search for one first."
    )
    told = environment.call("search", ["Mill"], {})
    assert not told.valid and "Similar: 'New Mill', 'Old Mill'." in told.observation
    read = environment.call("search", ["old  MILL"], {})
    assert read.observation == "The Old Mill was built in 1801. It grinds rye."
    assert environment.call("lookup", ["Rye"], {}).observation == "(1 of 1) It grinds rye."
    assert "has no more sentence with 'rye'" in environment.call("lookup", ["rye"], {}).observation
    assert environment.call("finish", ["Yes."], {}).success


def test_a_wrong_answer_ends_the_question_with_its_f1(tmp_path: Path):
    file = tmp_path / "hotpot.json"
    file.write_text(json.dumps([ENTRY, {**ENTRY, "answer": "Old Mill of Orsel"}]))
    played = domain(source=str(file), train=1, test=1)
    environment = played.open(played.tasks("test")[0])
    step = environment.call("finish", ["old mill"], {})
    assert (step.valid, step.success, step.over) == (True, False, True)
    assert step.progress == pytest.approx(2 / 3)
    again = environment.call("finish", ["Old Mill of Orsel"], {})
    assert not again.valid and not again.success


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "must hold a list of more than 1 questions"),
        ('[{"_id": 1}, {"_id": 2}]', "entry 0: not an entry of hotpot_.*: KeyError: 'context'"),
    ],
)
def test_another_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str):
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(TaskError, match=message):
        domain(source=str(file), train=1).tasks("test")


def test_generated_answers_follow_from_their_articles():
    for level in ("easy", "harder"):
        for task in domain(level=level, test=30).tasks("test"):
            content = json.loads(task.content)
            titles = [article["title"] for article in content["articles"]]
            assert len(set(titles)) == len(titles)
            text = " ".join(
                s for a in content["articles"] for s in a["sentences"] if a["title"] in content["supporting"]
            )
            assert content["answer"] in ("yes", "no") or content["answer"] in text
