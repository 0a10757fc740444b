"""A task that ends without success (a lost game) ends the episode: no further reply is asked for, and learned
code is stopped at the action that ended it."""

from dataclasses import dataclass

from learnact.domains import registry
from learnact.methods.episode import EpisodeRun
from learnact.records import DomainSpec, LearnedAction, Library, Plain, Step
from learnact.sandbox.bounds import Bounds
from learnact.sandbox.sandbox import Sandbox
from tests.methods.test_episode import PROBLEM, episode

MOVE_TWICE = LearnedAction(
    "move_twice",
    "move_twice()",
    "def move_twice():\n    move('a', 'b')\n    move('b', 'a')\n    return 'moved'",
    "",
)


@dataclass
class LostAtOnce:
    """An environment in which the first action loses."""

    goal: str = "win"
    first_observation: str = "a game"
    progress: float = 0.0
    success: bool = False
    calls: int = 0

    async def call(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> Step:
        self.calls += 1
        return Step(f"{name}()", self.calls == 1, "You lost.", 0.0, False, over=True)

    async def text(self, command: str) -> Step:
        return await self.call(command, [], {})

    async def close(self) -> None: ...


def a_task(tmp_path):
    path = tmp_path / "two.pddl"
    path.write_text(PROBLEM)
    return registry.build(DomainSpec("gripper")).read(str(path))


async def test_an_episode_ends_where_nothing_can_be_reached_any_more(tmp_path):
    environment = LostAtOnce()
    run = EpisodeRun(
        episode(a_task(tmp_path)), registry.build(DomainSpec("gripper")), environment, None, None
    )
    assert not run.over
    await run.take("move('rooma', 'roomb')", thoughts=False)
    assert run.over
    assert not run.result().success


async def test_learned_code_is_stopped_where_the_task_ends(tmp_path):
    environment, library = LostAtOnce(), Library((MOVE_TWICE,))
    async with Sandbox(Bounds()) as sandbox, sandbox.session(library.source, ["move"], 0) as session:
        run = EpisodeRun(
            episode(a_task(tmp_path), library=library),
            registry.build(DomainSpec("gripper")), environment, session, None,
        )  # fmt: skip
        turn = await run.take("move_twice()", thoughts=False)
    assert environment.calls == 1
    assert [step.observation for step in turn.steps] == ["You lost."]
    assert run.over
