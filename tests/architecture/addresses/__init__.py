"""The one list of every address: its methods, and the status each caller gets when asking for rows of the own desk.

A pattern of the resolver that is not here, or a line here without a pattern, fails the build. A method that is not
here answers 405 to everybody, except that the API asks who you are first. The list is kept by theme, a file each.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.addresses.administration import ADMINISTRATION
from tests.architecture.addresses.allocating import ALLOCATING
from tests.architecture.addresses.api import PROGRAMS
from tests.architecture.addresses.confirming import CONFIRMING
from tests.architecture.addresses.desk import DESK
from tests.architecture.addresses.door import API, METHODS, Door
from tests.architecture.addresses.entry import ENTRY
from tests.architecture.addresses.notes import NOTES
from tests.architecture.addresses.recon import RECON
from tests.architecture.addresses.risk import RISK
from tests.factories.doors import CALLERS

__all__ = ("ADDRESSES", "API", "METHODS", "THEMES", "Door", "doors_of", "entries_of_the_house", "patterns_of_the_house")

THEMES = (ENTRY, DESK, ALLOCATING, CONFIRMING, RECON, NOTES, RISK, ADMINISTRATION, PROGRAMS)
ADDRESSES: dict[str, tuple[Door, ...]] = {pattern: doors for theme in THEMES for pattern, doors in theme.items()}


def patterns_of_the_house() -> Iterator[str]:
    """Every pattern the resolver knows, prefixes included."""
    for pattern, _ in entries_of_the_house():
        yield pattern


def entries_of_the_house() -> Iterator[tuple[str, URLPattern]]:
    """Every pattern the resolver knows, prefixes included, with its entry."""
    yield from _entries(get_resolver(), "")


def _entries(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, entry
        else:
            yield from _entries(entry, here)


def doors_of(pattern: str) -> Iterator[Door]:
    """The listed doors of an address, and for every other method what its kind answers."""
    listed = {door.method: door for door in ADDRESSES[pattern]}
    path = ADDRESSES[pattern][0].path
    for method in METHODS:
        if method in listed:
            yield listed[method]
        elif not pattern.startswith(API):
            yield Door(method, path, (405,) * len(CALLERS))
        elif method == "HEAD" and "GET" in listed:
            yield Door(method, path, listed["GET"].statuses)
        else:
            status = 200 if method == "OPTIONS" else 405
            yield Door(method, path, (401, *(status,) * (len(CALLERS) - 1)))
