"""The prompt of `learnact sql`: queries over several lines, completion, and a history that is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from learnact.results.query import TableOverview

LEAVE = ("quit", "exit", ".quit")
EXPORT = ".to"
KEYWORDS = tuple(
    """SELECT DISTINCT FROM WHERE GROUP BY ALL HAVING ORDER LIMIT JOIN LEFT USING ON AND OR NOT IN IS NULL AS
    CASE WHEN THEN ELSE END WITH UNION BETWEEN LIKE ILIKE OVER PARTITION QUALIFY FILTER DESC ASC EXCLUDE
    DESCRIBE SUMMARIZE SHOW EXPLAIN PIVOT TABLE VALUES count avg sum min max any_value arg_max arg_min list
    round coalesce left unnest len median stddev_samp bool_or string_agg row_number""".split()  # noqa: SIM905
)
AFTER_TABLE_WORD = re.compile(r"\b(?:from|join|describe|summarize|table)\s+\w*$", re.IGNORECASE)
WORD = re.compile(r"\.?\w+$")


class SqlCompleter(Completer):
    """Completes names of tables after FROM and JOIN, else columns, keywords and tables."""

    def __init__(self, tables: Iterable[TableOverview]) -> None:
        known = list(tables)
        self._tables = {table.name: ", ".join(table.columns) for table in known}
        columns: dict[str, list[str]] = {}
        for table in known:
            for column in table.columns:
                columns.setdefault(column, []).append(table.name)
        self._columns = {name: ", ".join(of) for name, of in columns.items()}

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - the base class's signature
    ) -> Iterator[Completion]:
        """Names that begin as the word before the cursor does."""
        before = document.text_before_cursor
        found = WORD.search(before)
        typed = found[0].lstrip(".") if found else ""
        names = self._tables
        if not AFTER_TABLE_WORD.search(before):
            names = {**self._columns, **dict.fromkeys(KEYWORDS, ""), **self._tables}
        for name, about in names.items():
            if (typed and name.lower().startswith(typed.lower())) or (not typed and names is self._tables):
                yield Completion(name, start_position=-len(typed), display_meta=about[:60])


def statements(
    tables: Iterable[TableOverview],
    history: History | None = None,
    keys: Input | None = None,
    screen: Output | None = None,
) -> Iterator[str]:
    """What a person types, one statement after another, until the end of input or a word of `LEAVE`.

    A statement ends with a semicolon; a line that begins with a dot is a command. `keys`, `screen`: the
    terminal unless a test says otherwise.
    """
    session: PromptSession[str] = PromptSession(
        "sql> ",
        multiline=Condition(lambda: not is_whole(get_app().current_buffer.text)),
        prompt_continuation="...> ",
        completer=SqlCompleter(tables),
        complete_while_typing=False,
        history=history or kept_history(),
        input=keys,
        output=screen,
    )
    while True:
        try:
            text = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip(";").strip() in LEAVE:
            return
        if text:
            yield text


def is_whole(text: str) -> bool:
    """Whether a text is a statement that need not go on in another line."""
    line = text.strip()
    return not line or line.endswith(";") or line.startswith(".") or line in LEAVE


def kept_history() -> History:
    """The history in the user's state folder; one that is not kept where that cannot be written."""
    place = history_path()
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(place))


def history_path() -> Path:
    """The file that holds the history."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return folder / "learnact" / "sql_history"
