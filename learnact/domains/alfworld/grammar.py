"""The engine's text grammar, evaluated without copying: the same text as the stock evaluator's, which
deep-copies its context at every symbol.

Only the grammar that the package ships is evaluated here (its expressions are Python); runs in an engine
process only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from textworld.envs.pddl import textgen
from textworld.envs.pddl.logic import GameLogic
from textworld.logic import Rule

Context = tuple[Mapping[str, Any], Mapping[Any, Any]]
"""Variables by name (what expressions see) and placeholders bound to the state's variables (what queries
see)."""


@cache
def _query(expression: str) -> Rule:
    return Rule.parse_conjunctive_query(expression)


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, "<grammar>", "eval")


class Grammar:
    """A parsed grammar. `derive` gives the text of a rule in a state."""

    def __init__(self, logic: GameLogic) -> None:
        self._rules = {name: tuple(rules) for name, rules in logic.grammar._rules.items()}

    def derive(self, rule: str, state: Any, context: Context, entities: Mapping[str, Any]) -> str:
        """The text that the rule of that name derives."""
        return _Derivation(self._rules, state, entities).rule(rule, context)


class _Derivation:
    """One derivation: the state and its entities at one moment."""

    def __init__(self, rules: Mapping[str, tuple[Any, ...]], state: Any, entities: Mapping[str, Any]) -> None:
        self._rules = rules
        self._state = state
        self._entities = entities

    def rule(self, name: str, context: Context) -> str:
        """The text of the first production of that name whose condition holds."""
        if name not in self._rules:
            raise textgen.CSGUnknownSymbolError(name)
        for production in self._rules[name]:
            if not production.condition or self._holds(production.condition, context):
                return "".join(self._text(symbol, context) for symbol in production.rhs)
        raise IndexError(f"no production of {name} applies")

    def _holds(self, condition: str, context: Context) -> bool:
        return any(True for _ in self._state.all_assignments(_query(condition), context[1]))

    def _text(self, symbol: Any, context: Context) -> str:
        match symbol:
            case textgen.TerminalSymbol():
                return str(symbol)
            case textgen.NonterminalSymbol():
                return self.rule(str(symbol), context)
            case textgen.EvalSymbol():
                return str(eval(_compiled(symbol.expression), {"__builtins__": {}}, dict(context[0])))
            case textgen.ListSymbol():
                return self._list(self._each(symbol.symbol, context), context)
            case textgen.ConditionalSymbol():
                return "".join(self._each(symbol, context))
        raise NotImplementedError(f"unknown symbol of the grammar: {type(symbol).__name__}")

    def _each(self, symbol: Any, context: Context) -> list[str]:
        if not isinstance(symbol, textgen.ConditionalSymbol):
            return [self._text(symbol, context)]
        if not symbol.given:
            return [self._text(symbol.expression, context)]
        return [self._text(symbol.expression, found) for found in self._found(symbol.given, context)]

    def _found(self, expression: str, context: Context) -> list[Context]:
        variables, mapping = context
        found: list[Context] = []
        for assignment in self._state.all_assignments(_query(expression), mapping):
            named = {placeholder.name: self._entities[var.name] for placeholder, var in assignment.items()}
            found.append(({**variables, **named}, {**mapping, **assignment}))
        return found

    def _list(self, items: list[str], context: Context) -> str:
        if not items:
            return self.rule("list_empty", context)
        if len(items) == 1:
            return items[0]
        return (
            self.rule("list_separator", context).join(items[:-1])
            + self.rule("list_last_separator", context)
            + items[-1]
        )
