"""Results for a program: the runs of a folder, and SQL over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learnact.errors import MissingExtra
from learnact.results.location import location_of
from learnact.results.query import QuerySession
from learnact.results.reader import Connection, Places, connect, find_run, runs
from learnact.results.run_file import RunInfo


class ResultsFolder:
    """The runs of a results folder, or one of them. Each question reads what is on file at that moment.

    >>> results = open_results("results", "quickstart")  # doctest: +SKIP
    >>> results.sql("SELECT phase, avg(success::int) AS s FROM episodes GROUP BY ALL")  # doctest: +SKIP
    [{'method': 'act', 's': 0.4}, {'method': 'learnact', 's': 0.6}]
    """

    def __init__(self, folder: Places, run: str | None = None) -> None:
        self.folder = folder
        self._run = None if run is None else find_run(folder, run).run
        if run is None:
            runs(folder)

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """The runs, oldest first."""
        return tuple(info for info in runs(self.folder) if self._run in (None, info.run))

    def sql(self, query: str) -> list[dict[str, Any]]:
        """The rows that a query (DuckDB) gives, each a mapping from column to a plain Python value.

        `results/README.md` explains tables and columns. Raises `ResultsError` with DuckDB's own words.
        """
        answer = QuerySession(self.folder, self._run).ask(query)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer]

    def frame(self, query: str) -> Any:
        """The rows of a query as a pandas data frame.

        Raises `MissingExtra` without pandas, `ResultsError` with DuckDB's own words.
        """
        try:
            import pandas  # noqa: F401 - Arrow makes the frame, and needs it
        except ImportError:
            raise MissingExtra("a data frame needs pandas: pip install 'learnact[frames]'") from None
        return self.arrow(query).to_pandas()

    def arrow(self, query: str) -> Any:
        """The rows of a query as a pyarrow table (`polars.from_arrow` takes it). Raises `ResultsError`."""
        return QuerySession(self.folder, self._run).ask(query).table()

    def connection(self) -> Connection:
        """A DuckDB connection with the views, for whatever else DuckDB can do.

        It shows the runs as they are now, and only reads them.
        """
        return connect(self.folder, self._run, read_only=True)

    def __repr__(self) -> str:
        return f"<results {self.folder}: {', '.join(info.name for info in self.runs) or 'no runs'}>"


def open_results(folder: Places = "results", run: str | None = None) -> ResultsFolder:
    """The runs of a results folder, or of a place in a bucket (`s3://BUCKET/PREFIX`).

    Several places are asked at once when they are given as a list. `run` limits it to one run: its job's name
    (the latest of that name) or id.

    Raises:
        ResultsError: there is no such folder or run.
    """
    return ResultsFolder(
        folder if isinstance(folder, Sequence) and not isinstance(folder, str) else location_of(folder), run
    )
