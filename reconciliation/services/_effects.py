"""What a break stops is imposed and lifted here, in the caller's transaction, with the break locked.

Blocks stand under ``break:<ref>`` and are nobody else's. Lock order: break, blocks, then the order that is to end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from authorisation.domain.principal import process_principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import NotFound
from kernel.ids import new_id
from reconciliation.domain.effects import SENTENCES, Stands
from reconciliation.models import Break
from reconciliation.selectors.effects import session_groups
from risk.domain.stops import BREAK, NEW_ALONE
from risk.models import POSITION, Block, Scope, position_scope_id
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from venues.models import FixSession, Venue
from venues.services.hurry_inquiries import hurry_inquiries

ACTOR = process_principal("reconciliation")


def block_source(item: Break) -> str:
    """Under which its blocks stand, and alone may be lifted."""
    return f"{BREAK}:{item.ref}"


def change_effect(item: Break, wanted: Stands, *, at: datetime) -> None:
    """Let stand what must, lift what must not, and say so; the break's row is written."""
    had = Stands(item.effect)
    keep = {(scope, scope_id, source) for scope, scope_id, source in _places(item, wanted)}
    for block in _standing(item):
        if (block.scope, block.scope_id, block.source) not in keep:
            _lift(block, item, at)
    reason = f"{item.ref}: {item.why}"
    for scope, scope_id, source in sorted(keep):
        impose_block(actor=ACTOR, at=at, scope=scope, scope_id=scope_id, source=source, reason=reason)
    if wanted is Stands.RECOVERY:
        for name in FixSession.objects.filter(venue_id=session_groups()[item.source]).values_list("name", flat=True):
            hurry_inquiries(session=name, at=at)
    item.effect = wanted.value
    item.save(update_fields=["effect"])
    record_break(item, "BreakEffectChanged", {"before": had.value, "effect": wanted.value}, actor=ACTOR.actor, at=at)


def record_break(
    item: Break, kind: str, payload: dict[str, object], *, actor: str, at: datetime, on_behalf_of: str = ""
) -> EventDraft:
    """One event of a break, in its own stream."""
    draft = EventDraft(
        id=new_id(),
        stream=f"break:{item.id}",
        kind=kind,
        actor=actor,
        on_behalf_of=on_behalf_of,
        correlation_id=item.id,
        event_at=at,
        received_at=at,
        business_date=item.business_date,
        payload={"break_id": str(item.id), "ref": item.ref, "key": item.key, **payload},
    )
    append_to_stream(drafts=[draft], at=at)
    return draft


def _places(item: Break, wanted: Stands) -> Iterable[tuple[str, str, str]]:
    """Scope, id and source of every block that ``wanted`` means."""
    source = block_source(item)
    if wanted is Stands.ACCOUNT:
        yield Scope.ACCOUNT.value, str(item.account_id), source
    elif wanted in (Stands.INSTRUMENT, Stands.CANCELING):
        yield POSITION, position_scope_id(item.account_id, item.instrument_id), source
    elif wanted is Stands.EXISTING:
        yield POSITION, position_scope_id(item.account_id, item.instrument_id), source + NEW_ALONE
    elif wanted is Stands.RECOVERY:
        venue = session_groups()[item.source]
        for mic in Venue.objects.filter(code=venue).values_list("markets", flat=True):
            yield Scope.VENUE.value, mic, source


def _standing(item: Break) -> list[Block]:
    source = block_source(item)
    rows = Block.objects.filter(source__in=(source, source + NEW_ALONE), lifted_at__isnull=True)
    return list(rows.order_by("scope", "scope_id", "source"))


def _lift(block: Block, item: Break, at: datetime) -> None:
    """Somebody else may have lifted it in the same moment; that is what was wanted."""
    why = f"{item.ref} stops this no longer: {SENTENCES[Stands.NOTHING] if item.closed_at is None else item.closing_sentence}"
    try:
        lift_block(actor=ACTOR, at=at, scope=block.scope, scope_id=block.scope_id, source=block.source, reason=why)
    except NotFound:
        return
