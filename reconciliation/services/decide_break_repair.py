"""A second person's word on the repair of a break: applied at once on the facts of now, or not at all.

The break is locked first. What it was asked about must still be open and their record still say the same; what the repair
then does goes through the doors everybody uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.services.write_off import write_off
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.crash_points import crash_point
from kernel.numbers import plain
from orders.services.book_filed_report import book_filed_report
from reconciliation.domain.repairs import Repair, amount_of, match, require_within, said_by, why_not
from reconciliation.locks import lock_breaks
from reconciliation.models import Break, OutsideName
from reconciliation.selectors.repairs import KIND, currency_of, facts_of, filed_of
from reconciliation.selectors.rules import write_off_limit
from reconciliation.services._closing import accept_break, close_break
from reconciliation.services._effects import ACTOR, record_break
from reconciliation.services.match_by_hand import close_matched, differs


def _load(asking: Asking) -> list[Break]:
    return lock_breaks([UUID(one) for one in asking.payload["breaks"]])


def _apply(asking: Asking, items: list[Break]) -> Applied:
    asked = asking.payload
    repair, item = Repair(asked["repair"]), next(one for one in items if str(one.id) == asked["break_id"])
    obstacle = obstacle_of(item, repair, asked["evidence"]["theirs"])
    if obstacle:
        raise NotApplied(obstacle)
    if repair is Repair.MATCH:
        return _match(asking, items)
    done = _APPLY[repair](asking, item)
    crash_point("repair.written")
    return done


def obstacle_of(item: Break, repair: Repair, asked_theirs: Mapping[str, Any]) -> str:
    """Why what was asked does not fit the break of now; empty when it does."""
    obstacle = why_not(repair, facts_of(item))
    if not obstacle and said_by(item.theirs) != said_by(asked_theirs):
        obstacle = f"Their record of {item.ref} says something else than when this was asked."
    return obstacle


def _decline(asking: Asking, items: list[Break]) -> str:
    return "Nothing is changed; the break stays open."


def _close(asking: Asking, item: Break, closed_as: str, sentence: str) -> None:
    close_break(
        item, closed_as=closed_as, sentence=sentence, request_id=asking.facts.id, actor=ACTOR.actor,
        on_behalf_of=asking.actor.actor, at=asking.at,
    )  # fmt: skip


def _file(asking: Asking, item: Break, *, is_execution: bool) -> Applied:
    assert item.order_id is not None
    filed = filed_of(item)
    book_filed_report(
        at=asking.at, order_id=item.order_id, filed=filed, is_execution=is_execution, request_id=asking.facts.id
    )
    what = (
        f"execution {filed.text('exec_id')} is booked" if is_execution else f"the order is {filed.text('ord_status')}"
    )
    sentence = f"{what[0].upper()}{what[1:]}, as {filed.source} reports in {filed.file}, line {filed.line}."
    _close(asking, item, Break.ClosedAs.REPAIRED, sentence)
    return Applied(sentence)


def _book(asking: Asking, item: Break) -> Applied:
    return _file(asking, item, is_execution=True)


def _state(asking: Asking, item: Break) -> Applied:
    return _file(asking, item, is_execution=False)


def _mapping(asking: Asking, item: Break) -> Applied:
    """A new version of the name; the break closes itself when the facts then agree."""
    asked = asking.payload
    scope = {"source": item.source, "what": asked["what"], "theirs": asked["theirs"]}
    told: dict[str, object] = {**scope, "ours": asked["ours"], "request_id": str(asking.facts.id)}
    event = record_break(
        item, "OutsideNameDeclared", told, actor=ACTOR.actor, on_behalf_of=asking.actor.actor, at=asking.at
    )
    OutsideName.objects.create(
        **scope, ours=asked["ours"], version=OutsideName.objects.filter(**scope).count() + 1, request_id=asking.facts.id,
        event_id=event.id, recorded_at=asking.at,
    )  # fmt: skip
    return Applied(f"{item.source} calls it {asked['theirs']}; the next run compares it under our name.")


def _write_off(asking: Asking, item: Break) -> Applied:
    """Re-reckoned: only the very amount that was approved, and only while a mark allows it."""
    asked, facts = asking.payload, facts_of(item)
    amount, currency = amount_of(facts), currency_of(item)
    if (plain(amount), currency) != (asked["amount"], asked["currency"]):
        raise NotApplied(
            f"The difference is {plain(amount)} {currency} now, not {asked['amount']} {asked['currency']}."
        )
    require_within(amount, write_off_limit(kind=item.kind, source=item.source, currency=currency), currency)
    assert item.account_id is not None
    write_off(
        actor=ACTOR, at=asking.at, business_date=item.business_date, account_id=item.account_id, currency=currency,
        amount=Decimal(asked["amount"]),
        said={"authorisation_id": str(asking.facts.id), "ref": item.ref, "maker_id": asking.facts.maker_id,
              "checker_id": asking.actor.user_id},
    )  # fmt: skip
    sentence = f"{plain(amount)} {currency} are written off to the error account."
    _close(asking, item, Break.ClosedAs.WRITTEN_OFF, sentence)
    return Applied(sentence)


def _timing(asking: Asking, item: Break) -> Applied:
    until = date.fromisoformat(asking.payload["until"])
    accept_break(
        item, until=until, request_id=asking.facts.id, actor=ACTOR.actor, on_behalf_of=asking.actor.actor, at=asking.at
    )
    return Applied(f"{item.ref} is accepted as a difference in time until {until}.")


def _match(asking: Asking, items: list[Break]) -> Applied:
    asked = asking.payload
    if len(items) != len(asked["breaks"]):
        raise NotApplied("One of the breaks is not there any more.")
    found = differs(match([facts_of(item) for item in items]))
    if any(found[name] != asked[name] for name in found):
        raise NotApplied("They differ by something else than when this was asked.")
    close_matched(
        items, reason=asked["reason"], request_id=asking.facts.id, actor=ACTOR.actor, on_behalf_of=asking.actor.actor,
        at=asking.at,
    )  # fmt: skip
    return Applied(f"{asked['refs']} are matched.")


_APPLY: dict[Repair, Callable[[Asking, Break], Applied]] = {
    Repair.BOOK: _book,
    Repair.STATE: _state,
    Repair.MAPPING: _mapping,
    Repair.WRITE_OFF: _write_off,
    Repair.TIMING: _timing,
}

_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_break_repair = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
