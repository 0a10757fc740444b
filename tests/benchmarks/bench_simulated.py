"""The simulated model: CPU of fresh replies by domain, and replies a second of CPU of the serving process,
for requests seen before and for a canned reply."""

from __future__ import annotations

import asyncio
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from learnact.domains.registry import build
from learnact.methods import prompt_sections
from learnact.records import DomainSpec, Library, Rules, canonical
from learnact.simulated.replies import reply_to

TYPICAL = {"gripper": {}, "blockworld": {}, "barman": {}, "tyreworld": {}}
LARGEST = {"name": "barman", "options": {"level": "easy", "shots": 9, "cocktails": 7, "drinks": 3}}
AS_TURNS = functools.partial(prompt_sections.example_as_turns, thoughts=False)
TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[dict[str, object]]:
    """Rows of name, value, unit and target."""
    rows: list[dict[str, object]] = []
    prompts: list[str] = []
    for name in TYPICAL:
        seconds, seen = _fresh(name, {"level": "easy", "test": 6, "train": 1})
        prompts += seen
        rows.append(
            {
                "name": f"fresh reply, {name}, mean CPU",
                "value": statistics.mean(seconds) * 1e3,
                "unit": "ms",
                "target": 15 if name == "barman" else 10,
            }
        )
    seconds, _ = _fresh(LARGEST["name"], {**LARGEST["options"], "test": 3, "train": 1})
    rows.append(_rate("fresh replies of the largest domain", 1 / statistics.mean(seconds), 10))
    rows.append(_rate("replies to prompts seen before", _served(prompts[:50], 20), 100))
    rows.append(_rate("canned replies", _served(prompts[:50], 40, "--canned", "look()"), 1000))
    return rows


def _rate(name: str, value: float, least: float) -> dict[str, object]:
    return {"name": f"{name}, a CPU second", "value": value, "unit": "/s", "target": ("min", least)}


def _fresh(name: str, options: dict[str, object]) -> tuple[list[float], list[str]]:
    """CPU seconds of each reply in episodes of Act, and the prompts."""
    domain = build(DomainSpec(name, canonical(options)))
    head = prompt_sections.context_sections(domain, Library(), Rules(), 100, AS_TURNS)
    request = prompt_sections.TEMPLATES.fill("act")
    seconds, prompts = [], []
    for seed, task in enumerate(domain.tasks("test")):
        environment = domain.open(task)
        fixed = head + prompt_sections.task_section(environment.goal, environment.first_observation)
        entries: list[str] = []
        for _ in range(15):
            prompt = fixed + ("## So far\n" + "".join(entries[-10:]) + "\n" if entries else "") + request
            start = time.process_time()
            reply = reply_to("sim-strong", [("user", prompt)], seed).text
            seconds.append(time.process_time() - start)
            prompts.append(prompt)
            call, _, inside = reply.partition("(")
            arguments = [a.strip(" '\n`") for a in inside.partition(")")[0].split(",")]
            step = environment.call(call.split()[-1], arguments, {})
            entries.append(f"Action: {reply}\nObservation: {step.observation}\n")
            if environment.success:
                break
    return seconds, prompts


def _served(prompts: list[str], times: int, *options: str) -> float:
    """Replies for each second of CPU of one serving process, after every prompt was asked once."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "learnact.simulated", "--port-file", str(port_file), *options]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            while not port_file.exists() and child.poll() is None:
                time.sleep(0.02)
            url = f"http://127.0.0.1:{port_file.read_text()}/v1/chat/completions"
            asyncio.run(_ask_all(url, prompts))
            before = _cpu(child.pid)
            asyncio.run(_ask_all(url, prompts * times))
            return len(prompts) * times / (_cpu(child.pid) - before)
        finally:
            child.terminate()
            child.wait(10)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _ask_all(url: str, prompts: list[str]) -> None:
    waiting = iter(prompts)
    async with aiohttp.ClientSession() as session:

        async def ask() -> None:
            for prompt in waiting:
                body = {"model": "sim-strong", "seed": 1, "messages": [{"role": "user", "content": prompt}]}
                async with session.post(url, json=body) as response:
                    assert response.status == 200
                    await response.read()

        await asyncio.gather(*(ask() for _ in range(16)))
