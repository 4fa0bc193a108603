"""Let exactly these blocks of breaks stand, for many breaks at once: a run may find thousands, and each stops something.

In the caller's transaction, who has the breaks themselves locked: nobody else changes what stands under their sources. A
handful of statements however many there are. Every block is told by an event of its own, as one that is imposed or lifted alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from authorisation.domain.principal import Principal
from journal.bulk import insert_rows, one_transaction, update_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Invalid
from kernel.ids import new_id
from risk.domain.stops import is_of_break
from risk.locks import lock_blocks_of
from risk.models import POSITION, Block, Scope
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.services._events import draft_of

_FIELDS = (
    "id", "scope", "scope_id", "source", "reason", "imposed_by", "imposed_by_user", "imposed_at", "lifted_by", "lifted_at"
)  # fmt: skip
_SCOPES = frozenset({*(one.value for one in Scope), POSITION}) - {Scope.FIRM.value}


@dataclass(frozen=True, slots=True, order=True)
class Stop:
    """A block that shall stand."""

    scope: str
    scope_id: str
    source: str
    reason: str


def set_blocks(
    *, actor: Principal, at: datetime, sources: Collection[str], stops: Sequence[Stop], lifted: Mapping[str, str]
) -> int:
    """Of ``sources`` these stops stand afterwards and no others; ``lifted`` says by source why one of it goes. How many changed.

    Raises NotPermitted RIGHT_MISSING, Invalid BLOCK_INVALID for sources that are not breaks', or a stop of another source.
    """
    require_right(actor, IMPOSE_BLOCK, "Your role may not impose blocks.")
    if not actor.is_process or not all(is_of_break(source) for source in sources):
        raise Invalid("BLOCK_INVALID", "Many blocks at once are set for breaks alone, and by our own processes.")
    for stop in stops:
        if stop.source not in sources or stop.scope not in _SCOPES or not stop.scope_id or not stop.reason.strip():
            raise Invalid(
                "BLOCK_INVALID", "A block of a break needs a source of it, a known scope, its id and a reason."
            )
    with one_transaction():
        standing = {(row.scope, row.scope_id, row.source): row for row in lock_blocks_of(sources)}
        wanted = {(stop.scope, stop.scope_id, stop.source): stop for stop in sorted(stops)}
        gone = [row for place, row in standing.items() if place not in wanted]
        new = [(new_id(), stop) for place, stop in wanted.items() if place not in standing]
        update_rows(
            Block, [(row.id, actor.actor, at) for row in gone], key=("id",), fields=("lifted_by", "lifted_at")
        )  # fmt: skip
        rows = [
            (block_id, stop.scope, stop.scope_id, stop.source, stop.reason, actor.actor, None, at, "", None)
            for block_id, stop in new
        ]
        insert_rows(Block, rows, fields=_FIELDS)
        drafts = [
            _draft("BlockLifted", row.id, Stop(row.scope, row.scope_id, row.source, lifted[row.source]), actor, at)
            for row in gone
        ]
        drafts += [_draft("BlockImposed", block_id, stop, actor, at) for block_id, stop in new]
        append_to_stream(drafts=drafts, at=at)
    return len(drafts)


def _draft(kind: str, block_id: object, stop: Stop, actor: Principal, at: datetime) -> EventDraft:
    return draft_of(
        stream=f"risk:{stop.scope}:{stop.scope_id}",
        kind=kind,
        actor=actor,
        at=at,
        payload={
            "block_id": str(block_id),
            "scope": stop.scope,
            "scope_id": stop.scope_id,
            "source": stop.source,
            "reason": stop.reason,
        },
    )
