"""The cluster itself dies under a run: the run ends with words that say so, and nothing hangs."""

from __future__ import annotations

import pytest

from tests.cluster.test_lifecycle import script

pytestmark = pytest.mark.slow

RUN = """
import signal
from tests.cluster.processes import descendants
import learnact.runners.ray.cluster_watch as watch
watch.SILENT_SECONDS = 5.0

def server(name):
    return next(pid for pid in descendants(sys.executable.split("bin")[0]) + descendants("/")
                if name in open(f"/proc/{pid}/cmdline").read().split("\\0")[0])

async def main():
    async with RayRunner(RayOptions(workers=2, in_flight=2), Scripted) as runner:
        units = [unit(0), *(unit(n, "sleep 3600") for n in range(1, 9))]
        answers = runner.run(units)
        first = await anext(answers)
        os.kill(server(sys.argv[1]), signal.SIGKILL)
        rest = [outcome async for outcome in answers]
        print(first.result is not None, len(rest), sum(o.result is None for o in rest))
        print({o.attempts[-1].error for o in rest})
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("process", "said"),
    [("raylet", "on this machine died (raylet)"), ("gcs_server", "on this machine died (gcs_server)")],
)
def test_the_run_ends_and_says_what_died(process: str, said: str) -> None:
    done = script(RUN, process, RAY_health_check_period_ms="1000", RAY_health_check_failure_threshold="5")
    assert done.stdout.splitlines()[0] == "True 8 8", done.stdout + done.stderr
    assert said in done.stdout and "the same command continues the run" in done.stdout
    assert "what is committed stays" in done.stderr and done.returncode == 0
