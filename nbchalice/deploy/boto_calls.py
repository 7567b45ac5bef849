"""Finds the calls of boto3 in a module's text, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

# What the first argument of a boto3 resource's maker names: (service, maker) -> argument of the API's operations.
NAMED_BY = {
    ("dynamodb", "Table"): "TableName",
    ("s3", "Bucket"): "Bucket",
    ("s3", "Object"): "Bucket",
    ("sqs", "Queue"): "QueueUrl",
    ("sns", "Topic"): "TopicArn",
}


# The transfers of boto3's S3 client are called with positions, unlike the API's operations.
POSITIONS = {
    ("s3", "upload_file"): ("Filename", "Bucket", "Key"),
    ("s3", "upload_fileobj"): ("Fileobj", "Bucket", "Key"),
    ("s3", "download_file"): ("Bucket", "Key", "Filename"),
    ("s3", "download_fileobj"): ("Bucket", "Key", "Fileobj"),
}


UNKNOWN = ("", "")  # a text of which neither beginning nor end is known


@dataclass(frozen=True)
class Call:
    """One call of an AWS API.

    Parameters
    ----------
    service : str
        As in `boto3.client`, for example ``s3``.
    method : str
        The client's or resource's method, for example ``put_object``.
    arguments : dict[str, str]
        Those whose value the text tells, by name.
    kind : str
        The kind of resource (``Table``, ``Object``, ...), or empty for a client.
    key : tuple[str, str]
        How the object's key begins and how it ends, as far as the text tells.
    """

    service: str
    method: str
    arguments: dict[str, str] = field(default_factory=dict, hash=False)
    kind: str = ""
    key: tuple[str, str] = field(default=UNKNOWN, compare=False)


@dataclass(frozen=True)
class _Maker:
    """What an expression stands for: a client, or a resource of some kind with the arguments it was made of."""

    service: str
    resource: bool
    kind: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


def boto_calls(
    module: str,
    event: Mapping[str, str] = MappingProxyType({}),
    beside: Mapping[str, str] = MappingProxyType({}),
) -> list[Call]:
    """Return the calls of boto3's clients and resources, in the order of the text.

    Parameters
    ----------
    module : str
        The text of the module.
    event : Mapping[str, str]
        What is known of the events of its handler, by attribute: ``{"bucket": "uploads"}``. Default: nothing.
    beside : Mapping[str, str]
        The texts of modules that it may import, by name; their calls count, too. Default: none.

    Followed are names and attributes that are bound to `boto3.client(...)`, `boto3.resource(...)`, a session's,
    resources made of these, and what functions return of that. A client that is an argument is not seen.
    """
    others: dict[str, _Reader] = {}
    for name, text in beside.items():
        others[name] = _Reader(ast.parse(text), {}, others)
    every = [_Reader(ast.parse(module), event, others), *others.values()]
    return list(chain.from_iterable(reader.calls() for reader in every))


def _bound_otherwise(tree: ast.Module, assignments: list[ast.Assign]) -> set[str]:
    """Return the names that something else than a plain assignment binds, too: a loop, ``with``, ``+=``."""
    plain = set(map(id, chain.from_iterable(node.targets for node in assignments)))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return {node.id for node in names if id(node) not in plain}


class _Reader:
    def __init__(self, tree: ast.Module, event: Mapping[str, str], others: Mapping[str, _Reader]) -> None:
        self.tree = tree
        self.event = event
        self.others = others
        self.returned: dict[str, _Maker] = {}
        self.attributes: dict[str, _Maker] = {}
        self.modules: dict[str, _Reader] = {}
        self.arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        self.texts: dict[str, str] = {}
        self.makers: dict[str, _Maker] = {}
        self.edges: dict[str, tuple[str, str]] = {}
        assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
        self.doubtful = self.arguments | _bound_otherwise(tree, assignments)
        for assignment in assignments:
            self._bind_text(assignment)
        for node in ast.walk(tree):
            self._bind_import(node)
        # A table may be bound above the resource it is made of, in a function that runs later.
        known = -1
        while known != (known := len(self.makers) + len(self.returned) + len(self.attributes)):
            for node in ast.walk(tree):
                self._bind_maker(node)

    def _bind_import(self, node: ast.AST) -> None:
        """Take over what modules beside this one make."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in self.others:
                    self.modules[alias.asname or alias.name] = self.others[alias.name]
        elif isinstance(node, ast.ImportFrom) and (other := self.others.get(node.module or "")):
            for alias in node.names:
                name = alias.asname or alias.name
                for mine, theirs in ((self.makers, other.makers), (self.returned, other.returned)):
                    if alias.name in theirs:
                        mine[name] = theirs[alias.name]
                if alias.name in other.texts:
                    self.texts[name] = other.texts[alias.name]

    def _bind_text(self, node: ast.Assign) -> None:
        value, edges = self.text(node.value), self.edges_of(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                is_sure = target.id not in self.doubtful and self.edges.get(target.id, edges) == edges
                self.edges[target.id] = edges if is_sure else UNKNOWN
                if value is not None:
                    self.texts[target.id] = value

    def _bind_maker(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            values = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
            makers = [maker for value in values if (maker := self.maker(value))]
            if makers:
                self.returned[node.name] = makers[-1]
            return
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
            value: ast.expr | None = node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets, value = [node.optional_vars], node.context_expr
        else:
            return
        maker = self.maker(value) if value is not None else None
        for target in targets:
            if maker and isinstance(target, ast.Name):
                self.makers[target.id] = maker
            elif maker and isinstance(target, ast.Attribute):
                self.attributes[target.attr] = maker

    def text(self, node: ast.expr) -> str | None:
        """Return the text that an expression surely is, or None."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.arguments:
            return self.event.get(node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
            return self._queue_asked_for(node.value)
        return self.texts.get(node.id) if isinstance(node, ast.Name) else None

    def _queue_asked_for(self, call: ast.Call) -> str | None:
        """Return the name of the queue whose URL a call answers."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "get_queue_url":
            return None
        return next((self.text(one.value) for one in call.keywords if one.arg == "QueueName"), None)

    def edges_of(self, node: ast.expr) -> tuple[str, str]:
        """Return how a text begins and how it ends, as far as is sure: of ``f"out/{name}.csv"`` both."""
        if (text := self.text(node)) is not None:
            return text, text
        if isinstance(node, ast.JoinedStr) and node.values:
            return self.edges_of(node.values[0])[0], self.edges_of(node.values[-1])[1]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.edges_of(node.left)[0], self.edges_of(node.right)[1]
        return self.edges.get(node.id, UNKNOWN) if isinstance(node, ast.Name) else UNKNOWN

    def maker(self, node: ast.expr) -> _Maker | None:
        """Return what an expression stands for, or None for anything else."""
        if isinstance(node, ast.Call):
            return self._made_by(node)
        if isinstance(node, ast.Attribute):
            module = self._module(node.value)
            return (module.makers if module else self.attributes).get(node.attr)
        return self.makers.get(node.id) if isinstance(node, ast.Name) else None

    def _made_by(self, call: ast.Call) -> _Maker | None:
        """Return what a call makes: of boto3, of a resource, or by what a function returns."""
        function = call.func
        if isinstance(function, ast.Name):
            return self.returned.get(function.id)
        if not isinstance(function, ast.Attribute):
            return None
        if function.attr in {"client", "resource"} and (service := self._service(call)):
            return _Maker(service, function.attr == "resource")
        owner = self.maker(function.value)
        if owner is None:
            return (self._module(function.value) or self).returned.get(function.attr)
        return self._part_of(owner, function.attr, call) if owner.resource and function.attr[:1].isupper() else None

    def _part_of(self, owner: _Maker, kind: str, call: ast.Call) -> _Maker:
        """Return what a resource makes of itself, as ``Table("orders")``."""
        name = NAMED_BY.get((owner.service, kind))
        first = self.text(call.args[0]) if call.args else None
        own = ((name, first),) if name and first and not owner.arguments else ()
        return _Maker(owner.service, True, kind, (*owner.arguments, *own))

    def _module(self, node: ast.expr) -> _Reader | None:
        return self.modules.get(node.id) if isinstance(node, ast.Name) else None

    def _service(self, node: ast.Call) -> str | None:
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "service_name")]
        return self.text(given[0]) if given else None

    def calls(self) -> Iterator[Call]:
        """Yield the calls; a paginator's is that of its operation."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            client, method = node.func.value, node.func.attr
            # Of client.get_paginator("list_queues").paginate() the operation is list_queues.
            if method == "paginate" and isinstance(client, ast.Call) and isinstance(client.func, ast.Attribute):
                method = (self.text(client.args[0]) if client.args else None) or method
                client = client.func.value
            owner = self.maker(client)
            if owner is None or method == "get_paginator" or (owner.resource and method[:1].isupper()):
                continue
            named = [(k.arg, k.value) for k in node.keywords if k.arg]
            if not owner.resource:
                named += zip(POSITIONS.get((owner.service, method), ()), node.args, strict=False)
            arguments = {name: text for name, value in named if (text := self.text(value)) is not None}
            key = next((self.edges_of(value) for name, value in named if name == "Key"), UNKNOWN)
            yield Call(owner.service, method, {**dict(owner.arguments), **arguments}, owner.kind, key)
