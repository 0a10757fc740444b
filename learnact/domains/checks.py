"""What holds for the primitives and the worked examples of every domain; checked whenever a domain is built.

A learner copies the names of actions and parameters into Python code, and a model copies the form of the
examples. A name that Python cannot take, or an example that does not work, would spoil every reply of a run.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Mapping, Sequence

from learnact.domains.base import Domain, Example, FunctionExample, Primitive
from learnact.errors import TaskError

_FREE_BUILTINS = {"open", "input", "help", "exit", "quit", "copyright", "credits", "license"}
"""Builtins that learned code cannot use anyway, so that an action may have their names."""


def function_name_fault(name: str) -> str:
    """Why no action can be called so in Python; "" when one can."""
    if name in dir(builtins) and name not in _FREE_BUILTINS and not keyword.iskeyword(name):
        return f"`{name}` is a builtin function of Python that learned code must be able to call"
    return parameter_name_fault(name)


def parameter_name_fault(name: str) -> str:
    """Why no parameter can be called so in Python; "" when one can."""
    if keyword.iskeyword(name):
        return f"`{name}` is a keyword of Python"
    if not (name.isascii() and name.isidentifier()):
        return f"`{name}` is not a name in Python (letters, digits and _, not beginning with a digit)"
    if name.startswith("__"):
        return f"`{name}` begins with two underscores, which Python keeps for itself"
    return ""


def check_domain(domain: Domain) -> None:
    """Refuse a domain whose primitives or examples cannot work; raises `TaskError` naming the domain and
    the thing."""
    _check_primitives(domain.name, domain.primitives)
    primitives = {primitive.name: primitive for primitive in domain.primitives}
    _check_example(f"{domain.name}: example", domain.example, primitives)
    _check_function_example(f"{domain.name}: function example", domain.function_example, primitives)


def _check_primitives(where: str, primitives: Sequence[Primitive]) -> None:
    names = [primitive.name for primitive in primitives]
    for primitive in primitives:
        if fault := function_name_fault(primitive.name):
            raise TaskError(f"{where}: action {primitive.name}: {fault}; give it another name")
        if names.count(primitive.name) > 1:
            raise TaskError(f"{where}: there are two actions {primitive.name}")
        for parameter in primitive.parameters:
            place = f"{where}: action {primitive.name}: parameter {parameter}"
            if fault := parameter_name_fault(parameter):
                raise TaskError(f"{place}: {fault}; give it another name")
            if parameter in names:
                raise TaskError(f"{place}: an action has this name; give it another name")
            if primitive.parameters.count(parameter) > 1:
                raise TaskError(f"{place}: there are two parameters of this name")
        if fault := _defaults_fault(primitive):
            raise TaskError(f"{where}: action {primitive.name}: {fault}")


def _defaults_fault(primitive: Primitive) -> str:
    """Why the defaults of a primitive are none that a function of Python can have; "" when they are."""
    for parameter, _ in primitive.defaults:
        if parameter not in primitive.parameters:
            return f"there is a default for {parameter}, which is no parameter of it"
    positional = [p for p in primitive.parameters if p not in primitive.keyword_only]
    optional = [p not in primitive.required for p in positional]
    if optional != sorted(optional):
        return f"{positional[optional.index(True)]} has a default and stands before one that has none"
    return ""


def _check_example(where: str, example: Example, primitives: Mapping[str, Primitive]) -> None:
    for number, (_, action, _) in enumerate(example.steps, 1):
        call = _parsed_call(action)
        if call is None:
            raise TaskError(f"{where}: step {number}: {action!r} is not a call with plain values")
        if fault := _binding_fault(call, primitives):
            raise TaskError(f"{where}: step {number}: {action}: {fault}")


def _check_function_example(
    where: str, example: FunctionExample, primitives: Mapping[str, Primitive]
) -> None:
    if not example.source.strip():
        return
    try:
        tree = ast.parse(example.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TaskError(f"{where}: its source is not Python: {error}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if not functions:
        raise TaskError(f"{where}: its source defines no function")
    usage = _parsed_call(example.usage)
    if usage is None or _name(usage) not in functions:
        raise TaskError(f"{where}: its usage {example.usage!r} is not a call of {', '.join(functions)}")
    arguments = functions[_name(usage)].args
    most, least = len(arguments.args), len(arguments.args) - len(arguments.defaults)
    if arguments.vararg is None and not least <= len(usage.args) + len(usage.keywords) <= most + len(
        arguments.kwonlyargs
    ):
        raise TaskError(f"{where}: its usage {example.usage!r} has the wrong number of arguments")
    if example.about:
        return  # it is from another domain and calls that domain's actions
    defined = {*functions, *dir(builtins), *_bound_names(tree)} - set(primitives)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        fault = _binding_fault(call, primitives) if _name(call) and _name(call) not in defined else ""
        if fault:
            raise TaskError(f"{where}: {ast.unparse(call)}: {fault}")


def _bound_names(tree: ast.AST) -> set[str]:
    """Names that the code itself gives to something: variables, parameters, imports."""
    names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names | {node.asname or node.name for node in ast.walk(tree) if isinstance(node, ast.alias)}


def _parsed_call(text: str) -> ast.Call | None:
    """A call of a name with literal arguments; None for anything else."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        for value in (*node.args, *(item.value for item in node.keywords)):
            ast.literal_eval(value)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return node


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _binding_fault(call: ast.Call, primitives: Mapping[str, Primitive]) -> str:
    """Why a call does not fit any primitive; "" when it does, or when only running it can tell."""
    primitive = primitives.get(_name(call))
    if primitive is None:
        return f"there is no action {_name(call) or ast.unparse(call.func)}"
    if any(isinstance(value, ast.Starred) for value in call.args) or any(
        k.arg is None for k in call.keywords
    ):
        return ""
    positional = [p for p in primitive.parameters if p not in primitive.keyword_only]
    bound = [*positional[: len(call.args)], *(str(item.arg) for item in call.keywords)]
    fits = len(call.args) <= len(positional) and len(set(bound)) == len(bound)
    if not (fits and set(primitive.required) <= set(bound) <= set(primitive.parameters)):
        return f"{primitive.name} takes {', '.join(primitive.parameters) or 'no arguments'}"
    return ""
