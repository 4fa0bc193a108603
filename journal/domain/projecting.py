"""What a projection is: a state kept current from events, with a name and a version, that can be kept and rebuilt. Pure.

The version says how the state is made and written. Another version is another projection: it is built beside the one in
force, from nothing or from its own snapshots, and takes its place in one step (``services.swap_projection``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol


class Happening(NamedTuple):
    """An event as far as projections read it. ``position`` orders all events, ``seq`` one stream."""

    position: int
    stream: str
    seq: int
    kind: str
    version: int
    payload: dict[str, Any]


class Condensing(NamedTuple):
    """What of a long slice of events a projection need not see one by one, so that the database may add it up.

    Of ``last_only`` kinds only the last of each stream counts, and those whose payload has the key ``unless``. Of ``summed``
    kinds the payload's ``sums`` (decimals) may be added up for each combination of ``by``: they come as one happening
    of the first of those kinds, in no stream. A last one carries the highest ``seq`` that its stream has among both kinds.
    """

    last_only: tuple[str, ...]
    unless: str
    summed: tuple[str, ...]
    by: tuple[str, ...]
    sums: tuple[str, ...]


class Projection(Protocol):
    """A state that is a function of the events up to a position, and of nothing else."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def condensing(self) -> Condensing | None: ...

    def apply(self, event: Happening) -> bool:
        """Take one event. False: the events of its stream up to it are needed, to be given to ``restore``."""

    def restore(self, events: Iterable[Happening]) -> None:
        """Take one stream from its first event to the one that ``apply`` could not take."""

    def body(self) -> Mapping[str, Any]:
        """The whole state as plain JSON."""

    def load(self, body: Mapping[str, Any]) -> None:
        """The inverse of ``body``: whatever was there is forgotten."""
