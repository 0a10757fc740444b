"""Functions read from code: the calls from top to bottom, the loop around them, the checks between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from learnact.simulated import text
from learnact.simulated.functions import SEEN, Check, Function


def code_in(body: str) -> str:
    """The code of a section: its fenced blocks, or all of it."""
    blocks = body.split("```")[1::2]
    if not blocks:
        return body
    return "\n".join(block.partition("\n")[2] for block in blocks)


def read_functions(code: str) -> list[Function]:
    """The functions of a module; text that does not parse holds none."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [_function(node) for node in tree.body if isinstance(node, ast.FunctionDef)]


def _function(node: ast.FunctionDef) -> Function:
    parameters = tuple(a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
    loop = next((pairs for child in node.body if (pairs := _loop(child, parameters))), ())
    found = sorted(_calls(node), key=lambda c: (c.lineno, c.col_offset))
    lines = [call.lineno for call in found]
    kept = {
        child.value.lineno
        for child in ast.walk(node)
        if isinstance(child, ast.Assign) and isinstance(child.value, ast.Call)
    }
    steps = tuple(
        text.ActionCall(
            call.func.id,
            tuple(_plain(a) for a in (*call.args, *(k.value for k in call.keywords))),
        )
        for call in found
        if isinstance(call.func, ast.Name)
    )
    checks = tuple(
        check
        for child in ast.walk(node)
        if isinstance(child, ast.If) and (check := _check(child, sum(line < child.lineno for line in lines)))
    )
    last = node.body[-1]
    return Function(
        node.name,
        parameters,
        steps,
        loop=loop,
        checks=checks,
        assigned=frozenset(i for i, line in enumerate(lines) if line in kept),
        returns=isinstance(last, ast.Return) and isinstance(last.value, ast.Name),
        otherwise=_raised(last) if isinstance(last, ast.Raise) else "",
    )


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Calls of plain names, but for what a loop goes over and what is raised."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) or (isinstance(node, ast.For) and child is node.iter):
            continue
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name):
            yield child
        yield from _calls(child)


def _loop(node: ast.stmt, parameters: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Variables and the parameters that they go over; nothing for any other statement."""
    if not isinstance(node, ast.For):
        return ()
    targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
    zipped = isinstance(node.iter, ast.Call) and getattr(node.iter.func, "id", "") == "zip"
    lists = node.iter.args if zipped and isinstance(node.iter, ast.Call) else [node.iter]
    pairs = tuple(
        (one.id, of.id)
        for one, of in zip(targets, lists, strict=False)
        if isinstance(one, ast.Name) and isinstance(of, ast.Name) and of.id in parameters
    )
    return pairs if len(pairs) == len(targets) == len(lists) else ()


def _check(node: ast.If, after: int) -> Check | None:
    """A look at what was observed, in the form in which `Function.code` writes it."""
    test = node.test
    if not isinstance(test, ast.Compare) or ast.unparse(test.comparators[0]) != SEEN:
        return None
    sentence = _sentence(test.left)
    if not sentence:
        return None
    first = node.body[0]
    when_seen = isinstance(test.ops[0], ast.In)
    if isinstance(first, ast.Raise):
        return Check(after, sentence, "raise", when_seen)
    return Check(after, sentence, "return" if isinstance(first, ast.Return) else "only", when_seen)


def _raised(node: ast.Raise) -> str:
    return _sentence(node.exc.args[0]) if isinstance(node.exc, ast.Call) and node.exc.args else ""


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = (_plain(v.value) if isinstance(v, ast.FormattedValue) else _plain(v) for v in node.values)
    return "".join(parts)


def _plain(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)
