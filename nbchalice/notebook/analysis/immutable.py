"""Which values are immutable, as far as the code that makes them tells: nobody can change them through another name."""

from __future__ import annotations

import ast

from nbchalice.notebook.analysis.known_calls import IMMUTABLE_RESULTS


def immutable_names(node: ast.stmt) -> dict[str, frozenset[str]]:
    """Find the names that a statement binds to an immutable value, each with those whose values must be so for that.

    Parameters
    ----------
    node : ast.stmt
        A statement.
    """
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                if len(target.elts) == len(node.value.elts):
                    pairs += zip(target.elts, node.value.elts, strict=True)
            else:
                pairs.append((target, node.value))
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        pairs.append((node.target, node.value))
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        # n += 1 is n = n + 1.
        own = ast.Name(node.target.id, ast.Load())
        pairs.append((node.target, ast.BinOp(own, node.op, node.value)))
    shallow: dict[str, frozenset[str]] = {}
    for target, value in pairs:
        if isinstance(target, ast.Name):
            needs = _must_be(value)
            if needs is not None:
                shallow[target.id] = needs
    return shallow


def shares_objects(node: ast.stmt) -> bool:
    """Tell whether instances of a class may share objects: by a base, or by an attribute that can be changed.

    Parameters
    ----------
    node : ast.stmt
        A statement.
    """
    if not isinstance(node, ast.ClassDef):
        return False
    values = [
        part.value for part in node.body if isinstance(part, (ast.Assign, ast.AnnAssign)) and part.value is not None
    ]
    return bool(node.bases) or any(_must_be(value) != frozenset() for value in values)


def _must_be(node: ast.expr) -> frozenset[str] | None:
    """Return the names that must be immutable for the expression to be so, or None if it may not be."""
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Compare)):
        return frozenset()
    if isinstance(node, ast.Name):
        return frozenset({node.id})
    if isinstance(node, ast.Call):
        # len(rows) is a number, whatever rows is, unless the notebook has a len of its own.
        known = isinstance(node.func, ast.Name) and node.func.id in IMMUTABLE_RESULTS
        return frozenset({f"builtin:{node.func.id}"}) if known else None  # type: ignore[attr-defined]
    parts: list[ast.expr]
    if isinstance(node, ast.UnaryOp):
        parts = [] if isinstance(node.op, ast.Not) else [node.operand]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.Tuple):
        parts = node.elts
    else:
        return None
    needs = [_must_be(part) for part in parts]
    return None if None in needs else frozenset().union(*(item for item in needs if item is not None))
