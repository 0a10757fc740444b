"""A random library, a control: as many functions of the same size as the curated library has, with calls
drawn at random; or another domain's library. What an agent gains with it, it gains from having more actions
to choose from, not from what they do.

`random_kind: shuffled` keeps the curated functions' names, parameters and descriptions and gives each the
body of calls that are drawn at random, so that descriptions do not hold. `honest` describes what the drawn
calls are, by the signatures of the primitive actions only.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from learnact.domains import registry
from learnact.domains.base import Primitive
from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, MethodOptions, WorkBound
from learnact.methods.curated_library import curated
from learnact.methods.training import Learned, Training
from learnact.records import DomainSpec, LearnedAction, Library, seed_from


class RandomLibraryOptions(MethodOptions):
    """Options of the random library."""

    random_kind: Literal["shuffled", "honest"] = "shuffled"
    """Random library: descriptions of the curated functions (`shuffled`), or of the drawn calls (`honest`).
    """
    random_domain: str = ""
    """Random library: another domain, whose curated library is given as it is; its calls are unknown here."""
    curated_file: str = ""
    """Random library: the library whose number and size of functions it takes; none: the domain's own."""


class RandomLibrary(Learner[RandomLibraryOptions]):
    """Functions of random calls, drawn anew for each repeat (so it counts as a learner). Asks nothing and
    plays nothing.
    """

    name = "random_library"
    learns_from = "nothing"
    keeps = "functions"
    options = RandomLibraryOptions
    writes_code = True
    accepts_budget = False

    async def learn(self, training: Training, options: RandomLibraryOptions) -> Learned:
        """The library.

        Raises:
            Blocked: the domain has no curated library, or the file is none.
        """
        trial = training.trial
        if options.random_domain:
            library = curated(registry.build(DomainSpec(options.random_domain)))
        else:
            rng = random.Random(seed_from(trial.job_seed, trial.domain.name, trial.learn_repeat, "random"))
            given = curated(training.domain, options.curated_file)
            described = options.random_kind == "honest"
            actions = [drawn(a, training.domain.primitives, rng, described) for a in given.offered]
            library = Library(tuple(actions))
        training.keep(0, library, Library(), "given")
        return Learned(library)

    def bound(self, options: RandomLibraryOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Nothing."""
        return WorkBound()


def drawn(
    action: LearnedAction, primitives: Sequence[Primitive], rng: random.Random, described: bool
) -> LearnedAction:
    """A function with the name and parameters of another one, and as many calls of primitive actions, each
    drawn at random with parameters of the function drawn at random. `described`: what it says of itself is
    the calls that it makes; else what the other one says.
    """
    names = [p.name for p in primitives]
    definition = ast.parse(action.source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    parameters = [argument.arg for argument in definition.args.args]
    made = [n for n in ast.walk(definition) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    count = max(2, sum(call.func.id in names for call in made if isinstance(call.func, ast.Name)))
    calls = [_call(rng.choice(list(primitives)), parameters, rng) for _ in range(count)]
    lines = [f"    {call}" for call in calls[:-1]] + [f"    return {calls[-1]}"]
    source = "\n".join([f"def {action.name}({', '.join(parameters)}):", *lines])
    text = f"Does: {'; '.join(calls)}." if described else action.description
    signature = f"{action.name}({', '.join(parameters)})"
    return replace(action, signature=signature, source=source, description=text, notes=())


def _call(primitive: Primitive, parameters: Sequence[str], rng: random.Random) -> str:
    values = [rng.choice(parameters) if parameters else repr("") for _ in primitive.parameters]
    written = [
        f"{name}={value}" if name in primitive.keyword_only else value
        for name, value in zip(primitive.parameters, values, strict=True)
    ]
    return f"{primitive.name}({', '.join(written)})"


METHOD = Method("random_library", ACT, RandomLibrary(), "control: Act with functions of random calls")
