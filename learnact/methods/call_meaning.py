"""How a call in prose is meant, by the words around it: as the action, as something supposed, or not at all
(it is not possible, it has been done, something else depends on it).

The words are English, and a clause of 160 characters on either side is read; so time is bounded."""

from __future__ import annotations

import enum
import re

CLAUSE_CHARS = 160
"""Characters before and behind a call that say how it is meant."""


class Meaning(enum.Enum):
    """What prose says of a call that it holds."""

    MEANT = "meant"
    SUPPOSED = "supposed"
    """It would do something, comes later, or is asked about; it counts where nothing else is meant."""
    NOT_MEANT = "not meant"


# Before the call: these words, with at most four of USE between them and the call.
_USE = (
    r"(?:(?:call|calling|calls|use|using|try|trying|do|doing|run|running|perform|performing|execute|make|"
    r"making|write|repeat|just|simply|directly|yet|again|now|immediately|to|the|a|an|another|same|action|"
    r"function|with|like|this|be|I|we|you|have|had)\W+){0,4}[`'\"*]*\Z"
)
_RULED_OUT_BEFORE = re.compile(
    r"\b(?:cannot|can[’']?t|\w{2,7}n[’']t|(?:can|could|do|did|must|should|will|would|may|need) not|never|not|"
    r"no longer|instead of|rather than|avoid|without|no need (?:to|for)|unable to|impossible to|failed to|"
    r"neither|nor|no)\W+" + _USE,
    re.IGNORECASE,
)
_DEPENDS_BEFORE = re.compile(
    r"\b(?:after|before|once|when|if|unless|until|while|since|because|as soon as|whether|than|"
    r"following|e\.g\.|for example|for instance|such as|example:|last|previous|previously|earlier|already|"
    r"tried|called|considered|thought of|thought about|thinking of|did|used|made|executed|had|failed:?|was|"
    r"were|effect of|result of|call of|call to)\W+" + _USE,
    re.IGNORECASE,
)
_PAST_LABEL = re.compile(
    r"\b(?:last|previous|earlier|failed|past)\s+(?:action|call|step|attempt|turn|command)\W{0,8}\Z",
    re.IGNORECASE,
)
_SUPPOSED_BEFORE = re.compile(
    r"\A\W*(?:in order )?to\W+(?:call |use |do )?[`'\"*]*\Z|"
    r"\b(?:would|could|might|may|later|then|afterwards|eventually|finally|perhaps|maybe|either|or|option|"
    r"possible|plan)\b[^.;!?\n]{0,40}\Z",
    re.IGNORECASE,
)
# Behind the call.
_BEHIND = (
    r"\A[`'\"*)\s]{0,4}(?:(?:again|now|here|there|first|yet|directly|itself|alone|also|still|just|this way|"
    r"at this point|right now)\s+)?"
)
_NEGATIVE = (
    r"(?:not|impossible|invalid|wrong|useless|pointless|unnecessary|premature|too early|refused|forbidden|"
    r"a mistake|no use|no longer|nothing|fail|failing|never|out of the question|no effect|rejected|"
    r"unhelpful|illegal)\b"
)
_VERB = (
    r"(?:is|was|were|are|would|will|might|may|does|did|do|can|could|must|should|has|had|seems|looks|gave|"
    r"makes|made|shows|showed)"
)
_RULED_OUT_BEHIND = re.compile(
    rf"{_BEHIND}(?:{_VERB}\s+(?:\w+\s+){{0,2}}?{_NEGATIVE}|"
    rf"(?:cannot|\w{{2,6}}n[’']t|can[’']t|fails|failed|worked|succeeded|"
    rf"(?:was|is|has been) (?:done|successful))\b|"
    rf"(?:#|//|--?|[–—(:,])\s*(?:this |that |it |which )?(?:is |was |would be )?"
    rf"(?:(?!not\W+\w+\(){_NEGATIVE}|cannot\b|fails\b|failed\b))",
    re.IGNORECASE,
)
_SUPPOSED_BEHIND = re.compile(
    rf"{_BEHIND}(?:(?:would|could|might|may|requires|needs|takes|expects|means|puts|returns|gives|shows)\b|"
    r"[^.;!?\n]{0,60}\bbut\b|[^.;!?\n]{0,30}\?|"
    r"[^.!?\n]{0,60}[.!?]\s+(?:However|But|Yet|Unfortunately|Alas|No)\b)",
    re.IGNORECASE,
)
# The line above a call or a block.
_RULED_OUT_ABOVE = re.compile(
    r"(?:\b(?:not possible|impossible|not allowed|not work|won[’']t work|cannot (?:work|be done)|"
    r"is wrong|was wrong|be wrong|failed|no effect|instead of|rather than|do not|don[’']t|not do|not call|"
    r"not use|invalid)\b"
    r"[^.;,\n]{0,24}|^\W{0,6}(?:in )?(?:the |my |our )?(?:last|previous|earlier|first attempt|tried before)\b"
    r"[^.;,\n]{0,40}):[*_\s]*\Z",
    re.IGNORECASE,
)
# Between two calls.
_AND = re.compile(r"[\s`'\"*),;]*+(?:and(?: then)?|or|nor|then|followed by|->|→)\s(?:to\s|I\s)?[\s`'\"*(]*+")
_COMMA = re.compile(r"[\s`'\"*),;]*+")
_BREAK = re.compile(r"[.;:!?](?=\s)|\n|,|\b(?:but|so|therefore|hence|thus|instead,)\b", re.IGNORECASE)
"""Where a clause ends."""


def meaning_of(before: str, behind: str) -> Meaning:
    """How a call is meant, by the text of its line before it (from the call before on) and behind it."""
    clause = before[_last_break(before) :]
    if _RULED_OUT_BEFORE.search(clause) or ruled_out(behind):
        return Meaning.NOT_MEANT
    if _DEPENDS_BEFORE.search(clause) or _PAST_LABEL.search(before):
        return Meaning.NOT_MEANT
    if _SUPPOSED_BEFORE.search(clause) or _SUPPOSED_BEHIND.match(behind):
        return Meaning.SUPPOSED
    return Meaning.MEANT


def ruled_out(behind: str) -> bool:
    """Whether the text behind a call says that it is not possible, or done."""
    return bool(_RULED_OUT_BEHIND.match(behind))


def calls_wrong(line: str) -> bool:
    """Whether a line introduces what is below it as wrong or past: `This would not work:`."""
    return line.rstrip().endswith(":") and bool(_RULED_OUT_ABOVE.search(line[-CLAUSE_CHARS:]))


def goes_on(meaning: Meaning, between: str) -> bool:
    """Whether a call is meant as the one before it, by the text between: `I would f() and g()`."""
    if meaning is Meaning.MEANT:
        return False
    return bool(_AND.fullmatch(between) or (meaning is Meaning.SUPPOSED and _COMMA.fullmatch(between)))


def _last_break(text: str) -> int:
    end = 0
    for found in _BREAK.finditer(text):
        end = found.end()
    return end
