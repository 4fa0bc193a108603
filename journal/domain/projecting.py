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


class Projection(Protocol):
    """A state that is a function of the events up to a position, and of nothing else."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    def apply(self, event: Happening) -> bool:
        """Take one event. False: the events of its stream up to it are needed, to be given to ``restore``."""

    def restore(self, events: Iterable[Happening]) -> None:
        """Take one stream from its first event to the one that ``apply`` could not take."""

    def body(self) -> Mapping[str, Any]:
        """The whole state as plain JSON."""

    def load(self, body: Mapping[str, Any]) -> None:
        """The inverse of ``body``: whatever was there is forgotten."""
