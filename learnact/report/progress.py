"""Progress of a run: redrawn in place on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from rich import table as rich_table
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from learnact.job import Job
from learnact.job.preflight import Preflight
from learnact.records import EndpointState, Episode, Outcome
from learnact.records.text import printable
from learnact.records.trials import TrialSpec
from learnact.report.display import Display, Standing
from learnact.results.counters import Counters
from learnact.runners.calls import Spending, SpendingLimits
from learnact.trial import TrialResult

LINE_SECONDS = 10.0
"""Seconds between plain lines at least."""
NOTICE_CHARS = 400
"""Characters of a warning that are shown."""
REDRAWS = 4
"""Redraws a second on a terminal."""
SIMULATED = "simulated model: these numbers say nothing about language models"


@dataclass(frozen=True)
class Progress:
    """All that a display shows."""

    name: str
    simulated: bool = False
    trials: int = 0
    ended: int = 0
    incomplete: int = 0
    tested: int = 0
    """Finished test episodes, those found committed included."""
    tests: int = 0
    """Test episodes to be played."""
    stages: dict[str, int] = field(default_factory=dict)
    """Number of trials by what they are doing."""
    counters: Counters = field(default_factory=Counters)
    seconds: float = 0.0
    fresh: int = 0
    """Test episodes finished since the run was started or continued: the time left is estimated from them."""
    last_error: str = ""
    standing: Standing | None = None

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the pace of the test episodes so far; None while there is no estimate."""
        if self.trials and self.ended >= self.trials:
            return 0.0
        if not self.fresh or self.tested >= self.tests:
            return None
        return (self.tests - self.tested) * self.seconds / self.fresh


def duration(seconds: float | None) -> str:
    """Seconds for a person: `8 s`, `3:07 min`, `2:05 h`."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def thousands(number: int) -> str:
    """A count for a person: `950`, `12.4k`, `3.1M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            return f"{number / (1e3 if unit == 'k' else size):.1f}{unit}"
    return str(number)


def money(spent: Spending) -> str:
    """Cost in US dollars; says where calls had no price."""
    if spent.unpriced and not spent.dollars:
        return "no price"
    return f"${spent.dollars:.2f}" + (f" + {spent.unpriced} calls without a price" if spent.unpriced else "")


def progress_facts(progress: Progress) -> list[tuple[str, str]]:
    """Names and values, in order."""
    counters = progress.counters
    stages = ", ".join(f"{count} {what}" for what, count in progress.stages.items() if count)
    failures = f"{counters.attempts} tries" + (
        f", {counters.failed} units gave up" if counters.failed else ""
    )
    left = progress.seconds_left
    used = used_facts(progress.standing) if progress.standing else _session_facts(counters)
    waits = waiting_text(progress.standing.endpoints) if progress.standing else ""
    return [
        ("trials", f"{progress.ended}/{progress.trials}" + (f" ({stages})" if stages else "")),
        ("test episodes", f"{progress.tested}/{progress.tests}"),
        ("done now", f"{counters.episodes} episodes, {counters.requests} requests, {counters.found} found"),
        *used,
        ("failures", failures),
        *([("waits for", waits)] if waits else []),
        ("time", f"{duration(progress.seconds)}, left {duration(left)}"),
    ]


def _session_facts(counters: Counters) -> list[tuple[str, str]]:
    """What this session has used, before it is known what the run has."""
    tokens = counters.tokens
    spent = Spending(counters.calls, tokens.prompt, tokens.completion, counters.cost, counters.unpriced)
    return used_facts(Standing(spent, SpendingLimits()))


def used_facts(standing: Standing) -> list[tuple[str, str]]:
    """What a run has used, in the quantities of `learnact plan`, with its limits."""
    spent, limits = standing.spent, standing.limits
    tokens = f"{thousands(spent.prompt_tokens)}"
    replies = f"{thousands(spent.completion_tokens)}"
    if limits.tokens is not None:
        replies += f" (both: {thousands(spent.tokens)} of {thousands(limits.tokens)})"
    return [
        ("calls", thousands(spent.calls) + (f" of {thousands(limits.calls)}" if limits.calls else "")),
        ("prompt tokens", tokens),
        ("completion tokens", replies),
        ("dollars", money(spent) + (f" of ${limits.dollars:g}" if limits.dollars is not None else "")),
    ]


def waiting_text(endpoints: Sequence[EndpointState]) -> str:
    """What calls wait for at the limits of their endpoints; "" where none does."""
    parts = []
    for one in endpoints:
        if not one.waiting or not one.waits_for:
            continue
        many = f"{one.waiting} {'call waits' if one.waiting == 1 else 'calls wait'}"
        if one.waits_for == "retry-after":
            until = time.strftime("%H:%M:%S", time.localtime(time.time() + one.hold))
            parts.append(f"{one.name}: {many} until {until}, since the server refuses more (429)")
        elif one.waits_for == "in_flight":
            parts.append(f"{one.name}: {many} for one of {one.bound} in flight")
        elif one.waits_for == "x-ratelimit":
            parts.append(f"{one.name}: {many}, since little is left by the server's own count")
        else:
            left = one.requests_left if one.waits_for == "requests_per_minute" else one.tokens_left
            parts.append(f"{one.name}: {many} for {one.waits_for} ({left:,} left of this minute)")
    return "; ".join(parts)


def progress_line(progress: Progress) -> str:
    """Progress in one plain line."""
    shown = [f"{name} {value}" for name, value in progress_facts(progress)]
    return f"{progress.name}: " + "; ".join(shown) + ("; simulated" if progress.simulated else "")


def progress_panel(progress: Progress) -> RenderableType:
    """Progress as it is drawn on a terminal."""
    head = Text.assemble((progress.name, "bold"), (f"  {SIMULATED}" if progress.simulated else "", "yellow"))
    bar = ProgressBar(total=max(progress.tests, 1), completed=progress.tested, width=60)
    grid = rich_table.Table.grid(padding=(0, 2))
    for name, value in progress_facts(progress):
        grid.add_row(Text(name, style="dim"), Text(value))
    error = [Text(f"last failure: {progress.last_error}", style="red", overflow="ellipsis", no_wrap=True)]
    return Group(head, bar, grid, *(error if progress.last_error else []))


class NoticeHandler(logging.Handler):
    """Passes the texts of warnings on: models that do not answer, lost workers, what is tried again."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show a warning."""
        self._show(printable(record.getMessage())[:NOTICE_CHARS])


class ProgressDisplay(Display):
    """Shows a run's progress. A context manager, so that the terminal is left as it was."""

    def __init__(self, console: Console, seconds: float = LINE_SECONDS) -> None:
        self._console = console
        self._seconds = seconds
        self._live: Live | None = None
        self._began = self._shown = time.monotonic()
        self._stages: dict[str, str] = {}
        self._notices = NoticeHandler(self._notice)
        self._noticed: set[str] = set()
        self.progress = Progress("")

    def __enter__(self) -> ProgressDisplay:
        logging.getLogger("learnact").addHandler(self._notices)
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                refresh_per_second=REDRAWS,
                get_renderable=lambda: progress_panel(self._now()),
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logging.getLogger("learnact").removeHandler(self._notices)
        if self._live is not None:
            self._live.stop()
        if self.progress.name:  # a run that was refused has not begun
            self._print_line()

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """The run starts."""
        self._began = time.monotonic()
        simulated = any(
            t.agent_model.simulated or (t.learns and t.learner_model.simulated) for t in plan.trials
        )
        self.progress = Progress(
            job.name, simulated, trials=len(plan.trials), tests=plan.test_episodes, counters=counters
        )
        self._print_line()

    def stage(self, trial: TrialSpec, what: str) -> None:
        """A trial has begun something."""
        self._stages[trial.id] = what
        self._update()

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """A unit is committed, or was found committed."""
        now = self.progress
        if isinstance(outcome.unit, Episode) and outcome.unit.phase == "test" and outcome.result is not None:
            fresh = counters.found == now.counters.found
            now = replace(now, tested=now.tested + 1, fresh=now.fresh + fresh)
        if outcome.attempts:
            worst = outcome.attempts[-1]
            now = replace(
                now, last_error=f"{worst.boundary}: {printable(' '.join(worst.error.split()))[:200]}"
            )
        self.progress = replace(now, counters=counters)
        self._update()

    def limits(self, standing: Standing) -> None:
        """How it stands at the limits."""
        self.progress = replace(self.progress, standing=standing)
        self._update()

    def trial(self, result: TrialResult) -> None:
        """A trial has ended."""
        self._stages.pop(result.trial.id, None)
        now = self.progress
        self.progress = replace(
            now,
            ended=now.ended + 1,
            incomplete=now.incomplete + (result.status != "done"),
            tested=now.tested + (result.episodes if result.found else 0),
        )
        self._update()

    def _notice(self, text: str) -> None:
        """Print what goes wrong and is tried again, once, while it happens."""
        if text not in self._noticed:
            self._noticed.add(text)
            self._console.print(text, markup=False, highlight=False, soft_wrap=True, style="yellow")

    def _now(self) -> Progress:
        stages: dict[str, int] = {}
        for what in self._stages.values():
            stages[what] = stages.get(what, 0) + 1
        return replace(self.progress, stages=stages, seconds=time.monotonic() - self._began)

    def _update(self) -> None:
        if self._live is None and time.monotonic() - self._shown >= self._seconds:
            self._print_line()

    def _print_line(self) -> None:
        if self._live is None or not self._live.is_started:
            self._shown = time.monotonic()
            self._console.print(progress_line(self._now()), markup=False, highlight=False, soft_wrap=True)
