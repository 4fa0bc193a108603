"""Every kind of plant by its name, and how the command line asks for them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from kernel.errors import Invalid
from reconciliation.domain.making import plants_balances, plants_executions, plants_orders, plants_post_trade
from reconciliation.domain.making.plants import PlantKind
from reconciliation.domain.records import Kind

ALL: tuple[PlantKind, ...] = (
    *plants_executions.PLANTS,
    *plants_orders.PLANTS,
    *plants_orders.OF_OPEN,
    *plants_balances.POSITIONS,
    *plants_balances.CASH,
    *plants_post_trade.PLANTS,
)
BY_NAME = {kind.full_name: kind for kind in ALL}
# Categories of breaks that are no plant's name, and the plainest plant that makes one.
CATEGORIES = {"duplicate_suspect": "duplicate_line", "timing": "wrong_day"}
MOST = 100_000


def wishes_of(text: str, kinds: Collection[Kind]) -> list[tuple[PlantKind, int]]:
    """``kind:count,…`` in the order in which they are planted; a name without its file's kind is the first that has it.

    Raises Invalid BREAKS_INVALID.
    """
    wanted: dict[str, int] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, count = part.partition(":")
        kind = _named(name.strip().lower(), kinds)
        if not (count.strip() or "1").isdecimal() or int(count or 1) > MOST:
            raise _invalid(f"{part!r}: a count is a whole number up to {MOST:,}.")
        wanted[kind.full_name] = wanted.get(kind.full_name, 0) + int(count or 1)
    return [(kind, wanted[kind.full_name]) for kind in ALL if kind.full_name in wanted]


def _named(name: str, kinds: Collection[Kind]) -> PlantKind:
    plain = CATEGORIES.get(name, name)
    for kind in ALL:
        if kind.kind in kinds and plain in (kind.name, kind.full_name):
            return kind
    known = ", ".join(kind.full_name for kind in ALL if kind.kind in kinds)
    raise _invalid(f"There is no kind of break called {name!r} in these files; there are {known}.")


def _invalid(sentence: str) -> Invalid:
    return Invalid("BREAKS_INVALID", sentence, {"breaks": [sentence]})
