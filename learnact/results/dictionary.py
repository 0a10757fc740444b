"""The data dictionary: `python -m learnact.results.dictionary > results/README.md`.

Columns and types are those of the views; a column's meaning is declared in tables.py, or in the comment on
the first lines of the view where the view makes the column.
"""

from __future__ import annotations

import re
import sys
import textwrap

from learnact.results.query import shipped_queries
from learnact.results.reader import DERIVED, VIEWS, connect_folders, view_text
from learnact.results.tables import TABLES

INTRODUCTION = """\
<!-- Made by `python -m learnact.results.dictionary > results/README.md`; change learnact/results instead. -->
# Results: the data dictionary

Each run lies in a folder of its own, `NAME-ID/`: the job's name and the first 12 digits of the run's id.
The id is a hash of what the job asks for, so the same job continues the same run. Ask with `learnact sql`,
`learnact show` and `learnact table`, or from Python:

```python
import learnact

results = learnact.open_results("results", "quickstart")  # one view for each section below
print(results.sql("SELECT method, avg(success::int) FROM episodes WHERE phase = 'test' GROUP BY ALL"))
```

Without a run's name, `open_results` shows all runs of the folder: then ask by `run`.

The files are plain Parquet (zstd): `episodes.0000012.parquet` and so on. While a run goes on there are many
small ones; when it ends they are merged and sorted. The manifests `part.*.json` say which files count, so
read through the views. How results are stored, and what survives a crash:
[docs/results.md](../docs/results.md).

Shares and progress are fractions in 0 .. 1, times are in seconds (UTC for timestamps), costs in US dollars
(null where a price is not known, never zero), tokens as the server counted them. Empty text means "none".
"""
COOKBOOK = """\
## Shipped queries

`learnact sql --run RUN --file QUERY` asks one of these of a run (of the latest run without `--run`).

| query | what it answers |
|---|---|"""
SOURCES = {"steps": "turns", "actions": "libraries", "prompts": "calls"}
"""The table whose columns a view shows, where that has another name."""
OWN = re.compile(r"-- ([a-z_]+): (.+)")


def view_comment(view: str) -> tuple[str, dict[str, str]]:
    """What a view shows, and the meanings of its own columns, from the comment on its first lines."""
    about, own = [], {}
    for line in view_text(view).splitlines():
        if not line.startswith("--"):
            break
        if found := OWN.fullmatch(line):
            own[found[1]] = found[2]
        else:
            about.append(line.removeprefix("-- "))
    return " ".join(about), own


def meanings(view: str) -> dict[str, str]:
    """What each column of a view means. A view without a table of its name shows columns of others."""
    tables = ("candidates", "trials", "episodes") if view in DERIVED else (SOURCES.get(view, view),)
    declared = {c.name: c.meaning for table in tables if table in TABLES for c in TABLES[table].columns}
    return {**declared, **view_comment(view)[1]}


def dictionary() -> str:
    """The whole text."""
    lines = [INTRODUCTION]
    with connect_folders([]) as connection:
        for view in VIEWS:
            lines += [
                f"## {view}",
                textwrap.fill(view_comment(view)[0], 105),
                "",
                "| column | type | meaning |",
                "|---|---|---|",
            ]
            known = meanings(view)
            for name, kind, *_ in connection.execute(f"DESCRIBE {view}").fetchall():
                lines.append(f"| {name} | {_type(kind)} | {known[name]} |")
            lines.append("")
    lines.append(COOKBOOK)
    lines += [f"| {query.name} | {query.summary} |" for query in shipped_queries().values()]
    return "\n".join(lines) + "\n"


def _type(kind: str) -> str:
    """A type without the fields of its structures: the column's meaning names them."""
    return re.sub(r"STRUCT\(.*\)", "STRUCT", kind)


if __name__ == "__main__":
    sys.stdout.write(dictionary())
