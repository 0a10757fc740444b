"""The real engine (planner library, state and grammar of `textworld`), made fast, its behaviour unchanged.
Engine processes only.

What the stock environment does again at each step or reset is done once: translation (kept on disk), grammar
and queries (parsed once), admissible commands (names instead of grammar derivations), one planner library per
game being played, reused afterwards (the stock one is never freed). Text, admissible commands, `won` and
facts are the stock engine's: a test plays both side by side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import fast_downward
from alfworld.agents.utils.misc import Demangler
from textworld.envs.pddl.logic import Atom, GameLogic, PddlState
from textworld.generator.game import EntityInfo
from textworld.logic import Placeholder, Proposition, Type, Variable

from learnact.domains.alfworld import package
from learnact.domains.alfworld.grammar import Grammar
from learnact.domains.alfworld.language import Surface
from learnact.domains.alfworld.translation import Translation

_PUBLISHED = (
    (
        "You arrive at {r.name}. #examineReceptacle.feedback#",
        "You arrive at {lend.name}. #examineReceptacle.feedback#",
    ),
    ("You move the {o.name} to the {r.name}.", "You put the {o.name} in/on the {r.name}."),
    ('template :: "move {o} to {r}"', 'template :: "put {o} in/on {r}"'),
)
"""What differs in the grammar of the published games from the one that the package ships."""
_GOTO = "go to {r}"
"""The template of GotoLocation says this as a query whose answer is always its own receptacle."""


def grammar_of(surface: Surface) -> str:
    """The package's grammar in a surface."""
    text = package.grammar_text()
    for new, published in _PUBLISHED if surface == "published" else ():
        if new not in text:
            raise RuntimeError(
                f"the grammar of {package.versions()} is not the expected one: it lacks {new!r}"
            )
        text = text.replace(new, published)
    return text


class SurfaceLogic:
    """The package's rules and grammar in one surface; parsed once per process (0.6 s)."""

    def __init__(self, surface: Surface) -> None:
        self.game_logic = GameLogic(domain=package.domain_text(), grammar=grammar_of(surface))
        self.grammar = Grammar(self.game_logic)
        actions = self.game_logic.actions
        self.templates = {name: action.template for name, action in actions.items()} | {"gotolocation": _GOTO}
        self.feedback = {name: action.feedback_rule.strip("#") for name, action in actions.items()}


@cache
def logic(surface: Surface) -> SurfaceLogic:
    """The logic of a surface, made when first needed."""
    return SurfaceLogic(surface)


_free_libraries: list[Any] = []


class _State(PddlState):  # type: ignore[misc]
    """The stock state, begun from a kept translation instead of translating twice."""

    def __init__(self, library: Any, translation: Translation, game_logic: GameLogic) -> None:
        self._facts: defaultdict[Any, set[Proposition]] = defaultdict(set)
        self._vars_by_name: dict[str, Variable] = {}
        self._vars_by_type: defaultdict[str, set[Variable]] = defaultdict(set)
        self._var_counts: Counter[str] = Counter()
        self._logic = game_logic
        self.downward_lib = library
        self.name2type = translation.objects
        for name, supertypes in translation.types:
            try:
                game_logic.types.add(Type(name, supertypes))
            except ValueError:
                continue  # known from the game before
        library.load_sas(translation.sas)
        kinds = self.name2type
        self.add_facts(
            Proposition(name, [Variable(a, kinds[a]) for a in args]) for name, args in translation.init
        )
        atoms = (Atom * library.get_state_size())()
        library.get_state(atoms)
        facts = [atom.get_fact(kinds) for atom in atoms]
        self.add_facts(fact for fact in facts if not fact.is_negation)


class Game:
    """A game being played. `close` gives the planner library back for the next game."""

    def __init__(self, surface: Surface, translation: Translation) -> None:
        self._logic = logic(surface)
        self._parameters = translation.parameters
        self._library = _free_libraries.pop() if _free_libraries else fast_downward.load_lib()
        self._state = _State(self._library, translation, self._logic.game_logic)
        self._entities = _entities(self._state)

        self._known: dict[int, str] = {}

    def close(self) -> None:
        """Give the library back. Idempotent."""
        if self._library is not None:
            _free_libraries.append(self._library)
            self._library = None

    @property
    def won(self) -> bool:
        """Whether the goal holds now."""
        return bool(self._library.check_goal())

    @property
    def facts(self) -> Iterator[Proposition]:
        """All facts of the state, as the stock engine gives them."""
        return iter(self._state.facts)

    def facts_named(self, predicate: str) -> list[tuple[str, ...]]:
        """The facts of a predicate, sorted, with names as the text has them."""
        found = [f.arguments for sig, fs in self._state._facts.items() if sig.name == predicate for f in fs]
        return sorted(tuple(self._name(var.name) for var in arguments) for arguments in found)

    def _name(self, identifier: str) -> str:
        info = self._entities.get(identifier)
        return str(info.name).strip() if info is not None else identifier

    def look(self) -> str:
        """What `look` would say, without doing it: at the start, the first observation."""
        return self._logic.grammar.derive("look.feedback", self._state, ({}, {}), self._entities)

    def commands(self) -> dict[str, Any]:
        """The admissible commands and the planner's operator of each; of operators with equal commands the
        first, as in the stock engine."""
        operators = (fast_downward.Operator * self._library.get_applicable_operators_count())()
        self._library.get_applicable_operators(operators)
        found: dict[str, Any] = {}
        for operator in operators:
            command = self._known.get(operator.id)
            if command is None:
                command = self._known[operator.id] = self.command_of(operator.name)
            found.setdefault(command, operator)
        return found

    def command_of(self, operator: str) -> str:
        """The command that says an operator of the planner."""
        name, *arguments = operator.split()
        names = {p: self._name(a) for (p, _), a in zip(self._parameters[name], arguments, strict=False)}
        return str(self._logic.templates[name].format(**names))

    def do(self, command: str) -> str | None:
        """Do an admissible command; its observation, or None for any other command, which changes
        nothing."""
        operator = self.commands().get(command)
        if operator is None:
            return None
        name, *arguments = operator.name.split()
        effects = (Atom * operator.nb_effect_atoms)()
        self._library.apply_operator(operator.id, effects)
        for effect in effects:
            fact = effect.get_fact(self._state.name2type)
            self._state.remove_fact(fact.negate())
            self._state.add_fact(fact)
        bound = list(zip(self._parameters[name], arguments, strict=False))
        variables = {p: self._entities[a] for (p, _), a in bound}
        mapping = {Placeholder(p, kind): Variable(a, kind) for (p, kind), a in bound}
        return self._logic.grammar.derive(
            self._logic.feedback[name], self._state, (variables, mapping), self._entities
        )


def planned(sas: str, search: str) -> list[str] | None:
    """The planner's operators from the start to the goal, None when there are none. `sas` is the plain
    translation, `search` the optimized one."""
    library = _free_libraries.pop() if _free_libraries else fast_downward.load_lib()
    try:
        library.load_sas(sas.encode())
        library.load_sas_replan(search.encode())
        if not library.replan(False):
            return None
        operators = (fast_downward.Operator * library.get_last_plan_length())()
        library.get_last_plan(operators)
        return [operator.name for operator in operators]
    finally:
        _free_libraries.append(library)


def _entities(state: PddlState) -> dict[str, EntityInfo]:
    """Everything that a fact speaks of, named as the official wrapper names it."""
    kinds = {var.name: var.type for fact in state.facts for var in fact.arguments}
    infos = {name: EntityInfo(name, kind) for name, kind in kinds.items()}
    demangler = Demangler(game_infos=infos, shuffle=False)
    for info in infos.values():
        info.name, info.definite, info.indefinite = demangler.demangle_alfred_name(info.id), "the", "a"
    return infos
