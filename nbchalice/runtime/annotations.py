"""Whether the annotation of a handler's argument is the type of a record: ``order: Order``, ``orders: list[Order]``.

It is loaded for handlers whose argument has an annotation, and loads nothing itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FunctionType
    from typing import Any

    from .shapes import Shape


# What the classes of records have: of dataclasses, Pydantic, msgspec and TypedDict.
MARKS = ("__dataclass_fields__", "__pydantic_validator__", "__struct_fields__", "__required_keys__")


def shape_of(function: Callable[..., object]) -> Shape | None:
    """Return what a handler's function wants for records, or None where it takes events as they are.

    Parameters
    ----------
    function : Callable[..., object]
        The user's function.
    """
    annotation = annotation_of(function)
    many = _origin(annotation) is list
    record = annotation.__args__[0] if many else annotation
    if not is_record(record):
        return None
    from .shapes import Shape

    return Shape(record, many, tuple(one for one in bare_types(record) if one is not type(None)))


def annotation_of(function: Callable[..., object]) -> Any:
    """Return the annotation of a function's first parameter, with texts read; None where there is none.

    Parameters
    ----------
    function : Callable[..., object]
        The user's function; of what ``functools.wraps`` made, the function inside counts.
    """
    try:
        return read_annotation(function)
    except Exception:  # 3.14 reads annotations late, too: one that cannot be read says nothing
        return None


def read_annotation(function: Callable[..., object]) -> Any:
    """Return what `annotation_of` does, and raise what the annotation raises as it is read.

    Parameters
    ----------
    function : Callable[..., object]
        The user's function.
    """
    inner: Any = function
    for _ in range(100):
        if not hasattr(inner, "__wrapped__"):
            break
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    if code is None or not code.co_argcount:
        return None
    return _read(inner.__annotations__.get(code.co_varnames[0]), inner)


def is_record(annotation: Any) -> bool:
    """Whether an annotation is the type of a record, several such types (``Order | Refund``), or null besides."""
    bare = [one for one in bare_types(annotation) if one is not type(None)]
    return bool(bare) and all(isinstance(one, type) and any(hasattr(one, mark) for mark in MARKS) for one in bare)


def bare_types(annotation: Any) -> Iterator[Any]:
    """Give the members of a union, without the notes of ``Annotated``.

    Parameters
    ----------
    annotation : Any
        A type, as an annotation has it.
    """
    if hasattr(annotation, "__metadata__"):
        yield from bare_types(annotation.__origin__)
    elif type(annotation).__name__ in {"Union", "UnionType", "_UnionGenericAlias"}:
        for one in annotation.__args__:
            yield from bare_types(one)
    else:
        yield annotation


def _origin(annotation: Any) -> Any:
    return getattr(annotation, "__origin__", None)


def _read(annotation: Any, function: FunctionType) -> Any:
    """Return an annotation with what it says as text, as far as the function's module has it."""
    for _ in range(3):
        if not isinstance(annotation, str):
            break
        annotation = eval(annotation, function.__globals__)  # noqa: S307 - the user's own, as typing.get_type_hints
    if _origin(annotation) is list and isinstance(annotation.__args__[0], str):
        return list[_read(annotation.__args__[0], function)]  # type: ignore[misc]
    return annotation
