"""What breaks stop is imposed and lifted here, in the caller's transaction, with the breaks locked: many as cheaply as one.

Blocks stand under ``break:<ref>`` and are nobody else's. Lock order: breaks, blocks, then the order that is to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from authorisation.domain.principal import process_principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from reconciliation.domain.effects import SENTENCES, Stands
from reconciliation.models import Break
from reconciliation.selectors.effects import session_groups
from risk.domain.stops import BREAK, NEW_ALONE
from risk.models import POSITION, Scope, position_scope_id
from risk.services.set_blocks import Stop, set_blocks
from venues.models import FixSession, Venue
from venues.services.hurry_inquiries import hurry_inquiries

ACTOR = process_principal("reconciliation")


def block_source(item: Break) -> str:
    """Under which its blocks stand, and alone may be lifted."""
    return f"{BREAK}:{item.ref}"


def change_effect(item: Break, wanted: Stands, *, at: datetime) -> None:
    """Let stand what must because of one break, lift what must not, and say so; the break's row is written."""
    change_effects([(item, wanted)], at=at)


def change_effects(changes: Sequence[tuple[Break, Stands]], *, at: datetime) -> None:
    """The same for many; ascending by break, each named once."""
    if not changes:
        return
    recovering = any(wanted is Stands.RECOVERY for _, wanted in changes)
    venues = session_groups() if recovering else {}
    lifted = {source: _why_lifted(item) for item, _ in changes for source in _sources(item)}
    stops = [stop for item, wanted in changes for stop in _stops(item, wanted, venues)]
    set_blocks(actor=ACTOR, at=at, sources=lifted.keys(), stops=stops, lifted=lifted)
    if recovering:
        _hurry({venues[item.source] for item, wanted in changes if wanted is Stands.RECOVERY}, at)
    drafts = []
    for item, wanted in changes:
        told = {"before": item.effect, "effect": wanted.value}
        drafts.append(break_draft(item, "BreakEffectChanged", told, actor=ACTOR.actor, at=at))
        item.effect = wanted.value
    update_rows(Break, [(item.id, item.effect) for item, _ in changes], key=("id",), fields=("effect",))
    append_to_stream(drafts=drafts, at=at)


def record_break(
    item: Break, kind: str, payload: dict[str, object], *, actor: str, at: datetime, on_behalf_of: str = ""
) -> EventDraft:
    """One event of a break, in its own stream."""
    draft = break_draft(item, kind, payload, actor=actor, at=at, on_behalf_of=on_behalf_of)
    append_to_stream(drafts=[draft], at=at)
    return draft


def break_draft(
    item: Break, kind: str, payload: Mapping[str, object], *, actor: str, at: datetime, on_behalf_of: str = ""
) -> EventDraft:
    """The same for whoever appends several."""
    return EventDraft(
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


def _sources(item: Break) -> tuple[str, str]:
    source = block_source(item)
    return source, source + NEW_ALONE


def _stops(item: Break, wanted: Stands, venues: Mapping[str, str]) -> Iterable[Stop]:
    """Every block that ``wanted`` means."""
    source, reason = block_source(item), f"{item.ref}: {item.why}"
    if wanted is Stands.ACCOUNT:
        yield Stop(Scope.ACCOUNT.value, str(item.account_id), source, reason)
    elif wanted in (Stands.INSTRUMENT, Stands.CANCELING):
        yield Stop(POSITION, position_scope_id(item.account_id, item.instrument_id), source, reason)
    elif wanted is Stands.EXISTING:
        yield Stop(POSITION, position_scope_id(item.account_id, item.instrument_id), source + NEW_ALONE, reason)
    elif wanted is Stands.RECOVERY:
        for mic in Venue.objects.filter(code=venues[item.source]).values_list("markets", flat=True):
            yield Stop(Scope.VENUE.value, mic, source, reason)


def _hurry(venues: Iterable[str], at: datetime) -> None:
    """Every open question to these venues is asked now."""
    for name in FixSession.objects.filter(venue_id__in=list(venues)).values_list("name", flat=True):
        hurry_inquiries(session=name, at=at)


def _why_lifted(item: Break) -> str:
    return f"{item.ref} stops this no longer: {SENTENCES[Stands.NOTHING] if item.closed_at is None else item.closing_sentence}"
