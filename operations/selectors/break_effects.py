"""What a repair of a break, or a change of a rule of reconciliation, would do once approved: a dry run on the facts of now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.selectors.books import get_cash
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from kernel.errors import OmsError
from kernel.numbers import plain
from operations.domain.effect import Effect, EffectLine
from operations.selectors.recon.rules_page import preview_change
from orders.models import Order
from orders.services.book_filed_report import check_filed_report
from reconciliation.domain.effects import SENTENCES, Stands
from reconciliation.domain.repairs import TITLES, Repair
from reconciliation.models import Break
from reconciliation.selectors.feed_trials import Trial
from reconciliation.selectors.repairs import filed_of
from reconciliation.selectors.rule_changes import RuleEffect
from reconciliation.services.decide_break_repair import obstacle_of
from reconciliation.services.decide_recon_rules import change_of


def describe_break_repair(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """What is booked or closed, what stops standing, and why it could not be applied now."""
    asked = facts.payload
    repair, item = Repair(asked["repair"]), Break.objects.get(id=asked["break_id"])
    obstacle = obstacle_of(item, repair, asked["evidence"]["theirs"])
    lines: tuple[EffectLine, ...] = ()
    if not obstacle:
        try:
            lines = _lines(repair, item, asked, at)
        except OmsError as error:
            obstacle = error.sentence
    stops = SENTENCES[Stands(item.effect)]
    ends = repair is not Repair.MAPPING
    then = ("accepted" if repair is Repair.TIMING else "closed") if ends else item.state
    told = (
        *lines,
        EffectLine("Break", item.state, then if not obstacle else item.state),
        EffectLine("Stops", stops, SENTENCES[Stands.NOTHING] if ends and not obstacle else stops),
    )
    return Effect(
        headline=f"{TITLES[repair]}: {facts.summary}. Reason: {asked['reason']}",
        button=f"{TITLES[repair].lower()} ({item.ref})",
        lines=told,
        warnings=_warnings(item, asked),
        obstacle=obstacle,
        irreversible="A booking is corrected by another, never taken away." if lines else "",
    )


def _warnings(item: Break, asked: Mapping[str, Any]) -> tuple[str, ...]:
    theirs = item.theirs
    where = f"Evidence: {theirs['file']}, line {theirs['line']}: {theirs['raw']}" if theirs.get("raw") else ""
    return tuple(filter(None, (where, item.why, item.suggestion)))


def _lines(repair: Repair, item: Break, asked: Mapping[str, Any], at: datetime) -> tuple[EffectLine, ...]:
    if repair in (Repair.BOOK, Repair.STATE):
        return _order_lines(repair, item, at)
    if repair is Repair.WRITE_OFF:
        amount, currency = Decimal(asked["amount"]), asked["currency"]
        assert item.account_id is not None
        view = get_cash(account_id=item.account_id, currency=currency, today=at.date())
        account = f"Settled, {asked['account']}"
        return (
            EffectLine(account, _money(view.settled, currency), _money(view.settled + amount, currency)),
            EffectLine("Error account", "", _money(-amount, currency), "moves by the opposite"),
        )
    if repair is Repair.MATCH:
        refs = str(asked["refs"])
        return (
            EffectLine("Matched", "", refs, f"differ by {asked['qty']} units and {asked['value']} {asked['currency']}"),
        )
    return ()


def _order_lines(repair: Repair, item: Break, at: datetime) -> tuple[EffectLine, ...]:
    assert item.order_id is not None
    order = Order.objects.get(id=item.order_id)
    is_execution = repair is Repair.BOOK
    report = check_filed_report(at=at, order_id=order.id, filed=filed_of(item), is_execution=is_execution)
    if not is_execution:
        return (EffectLine(f"{order.ref} open", plain(order.leaves_qty), "0"),)
    sign = {"F": 1, "H": -1}.get(report.exec_type.value if report.exec_type else "", 0)
    then = plain(order.cum_qty + sign * report.last_qty) if sign else "corrected"
    return (EffectLine(f"{order.ref} executed", plain(order.cum_qty), then, f"at {plain(report.last_px)}"),)


def describe_recon_rules(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The rule of now beside the one asked for, and what it would do to the breaks that are open."""
    change = change_of(facts.payload)
    preview = preview_change(change, at=at)
    effect = preview.effect
    counts = (
        ("Open breaks it would let agree", effect.agree),
        ("Open breaks that would begin to stop something", effect.stop),
        ("Open breaks that would stop nothing any more", effect.let_go),
    )
    return Effect(
        headline=f"{facts.summary}. Reason: {facts.payload['reason']}",
        button=f"change {change.subject}",
        fields=preview.fields,
        lines=(*(EffectLine(label, "", f"{count:,}") for label, count in counts if count), *trial_lines(effect)),
        obstacle="" if preview.version == facts.payload["version"] else "The rule was changed since this was asked.",
    )


def trial_lines(effect: RuleEffect) -> tuple[EffectLine, ...]:
    """What became of a feed's files of the last days by the terms of now, beside what would have."""
    if effect.then is None:
        return ()
    now, then = effect.now or Trial(), effect.then
    rows = (
        ("Refused", now.refused, then.refused),
        ("Late", now.late, then.late),
        ("Not this feed's", now.not_its, then.not_its),
        ("Days without a file", tuple(map(str, now.days_without)), tuple(map(str, then.days_without))),
    )
    files = f"of {then.files:,} files of ten days"
    lines = tuple(
        EffectLine(label, f"{len(before):,}", f"{len(after):,}", ", ".join(after[:5]) or files)
        for label, before, after in rows
    )
    return (*lines, *((EffectLine("Not tried", "", then.sentence),) if then.sentence else ()))


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}".replace("-", "\u2212")
