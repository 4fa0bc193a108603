"""Many rows from their columns, and the other way round, without a step of Python a row. Pure.

Whoever works on ten thousand lines keeps them as columns; rows are for what looks at one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar, overload

_Row = TypeVar("_Row", bound=tuple[Any, ...])
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


def rows_of(kind: type[_Row], *columns: Iterable[Any]) -> list[_Row]:
    """A NamedTuple a place. One column at least has an end (``repeat`` gives a value to all); the shortest says how many there are.

    ``kind`` checks no number of values when made like this: the caller hands in a column a field.
    """
    return list(map(tuple.__new__, repeat(kind), zip(*columns)))  # noqa: B905 - of endless columns too


@overload
def looked_up(found: Mapping[_Key, _Value], keys: Collection[_Key]) -> list[_Value]: ...
@overload
def looked_up(found: Sequence[_Value], keys: Collection[int]) -> list[_Value]: ...
def looked_up(found: Any, keys: Collection[Any]) -> list[Any]:
    """The value of every key, or at every place, which is there."""
    return list(map(found.__getitem__, keys))


def worked_out(of: Callable[[_Key], _Value], column: Collection[_Key]) -> list[_Value]:
    """What follows from each of a column, worked out once for those that are equal."""
    return looked_up({one: of(one) for one in set(column)}, column)
