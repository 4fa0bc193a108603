"""What may be done about a break, by whom, and why not: for the break's page, the doors and the approvals page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from kernel.errors import NotFound
from orders.domain.filed import Filed
from reconciliation.domain.repairs import TITLES, Facts, Repair, amount_of, beyond_limit, why_not
from reconciliation.models import Break
from reconciliation.permissions import WORK_BREAK
from reconciliation.selectors.rules import write_off_limit
from reconciliation.selectors.seeing import visible_breaks

KIND = "break_repair"
DESK_HAS = "Your role may not work on reconciliation."


@dataclass(frozen=True, slots=True)
class Way:
    """One way to mend a break: the words of its button, and why it is disabled (empty when it may be asked for now)."""

    repair: Repair
    title: str
    why_not: str

    @property
    def may(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose break it is, for the sight of its requests."""

    code: str
    group_id: int | None
    desk_id: int | None


def ways_of(actor: Principal, item: Break) -> tuple[Way, ...]:
    """Every way, in the order of the page."""
    barred = "" if actor.is_process or WORK_BREAK in actor.rights else DESK_HAS
    waiting = pending_request(item.id)
    if not barred and waiting is not None:
        barred = f"A request waits for a second person: {waiting.summary}"
    facts = facts_of(item)
    return tuple(Way(repair, TITLES[repair], barred or _why_not(repair, facts)) for repair in Repair)


def _why_not(repair: Repair, facts: Facts) -> str:
    """What the asking would say: the records first, then what may be written off at most."""
    said = why_not(repair, facts)
    if said or repair is not Repair.WRITE_OFF:
        return said
    limit = write_off_limit(kind=facts.kind, source=facts.source, currency=facts.currency)
    return beyond_limit(amount_of(facts), limit, facts.currency)


def pending_request(break_id: UUID) -> AuthorisationRequest | None:
    """The request about it that waits for a second person."""
    rows = AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(break_id), state__in=OPEN)
    return rows.order_by("created_at", "id").first()


def facts_of(item: Break) -> Facts:
    """The break as a repair asks."""
    return Facts(
        ref=item.ref,
        kind=item.kind,
        source=item.source,
        category=item.category,
        state=item.state,
        ours=item.ours,
        theirs=item.theirs,
        differences=item.differences,
        currency=currency_of(item),
        account_id=item.account_id,
        instrument_id=item.instrument_id,
        order_id=item.order_id,
    )


def currency_of(item: Break) -> str:
    """The currency of its money: as the records say, else that of its exposure."""
    said = item.theirs.get("currency") or item.ours.get("currency") or item.ids.get("currency")
    return str(said or item.exposure_currency)


def filed_of(item: Break) -> Filed:
    """Their record with where it stands."""
    theirs: dict[str, Any] = item.theirs
    return Filed(
        source=item.source, file=str(theirs["file"]), sha256=str(theirs["sha256"]), line=int(theirs["line"]),
        raw=str(theirs["raw"]), values=theirs,
    )  # fmt: skip


def owner_of(item: Break) -> Owner:
    """The account's code, group and desk; nothing where nobody knows the account."""
    if item.account_id is None:
        return Owner("", None, None)
    row = TradingAccount.objects.filter(id=item.account_id).values_list("code", "group_id", "group__desk_id").first()
    return Owner(*row) if row else Owner("", None, None)


def find_breaks(actor: Principal, break_ids: list[UUID]) -> list[Break]:
    """Those of the breaks that the actor sees. Raises NotFound BREAK_UNKNOWN when one is not there or not seen."""
    found = list(visible_breaks(actor).filter(id__in=break_ids).order_by("id"))
    if len(found) != len(set(break_ids)):
        raise NotFound("BREAK_UNKNOWN", "There is no such break that you may see.")
    return found
