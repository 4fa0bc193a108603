"""What a change of rights would do: rights, pages, desks and account groups before and after, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.models import AccountGroup
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import TRADE_ACCOUNT_GROUP, TRADE_DESK, VIEW_ACCOUNT_GROUP, VIEW_DESK, Principal
from authorisation.domain.right_change import ChangeKind, from_payload
from authorisation.models import Desk
from authorisation.selectors import Affected, affected_by, short_of
from operations.domain.effect import Effect, EffectLine
from operations.navigation import pages_of

_GRANTS = (
    (VIEW_DESK, "Sees desks"),
    (TRADE_DESK, "Trades desks"),
    (VIEW_ACCOUNT_GROUP, "Sees account groups"),
    (TRADE_ACCOUNT_GROUP, "Trades account groups"),
)
_IN_WORDS = {ChangeKind.ENABLE_USER: "let in again", ChangeKind.ADD_USER: "add"}
MOST_NAMED = 8


def describe_user_right(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """On the roles of now. One person line by line; the holders of a role together, where any of them changes."""
    change = from_payload(facts.payload)
    hit = affected_by(change)
    warnings = [
        f"{one.after.username} would hold {found.one} and {found.other} together. {found.why}"
        for one in hit
        for found in one.conflicts
    ]
    warnings += [f"Too few people would be left who hold {right}." for right in short_of(hit)]
    if change.until is None and change.kind in (ChangeKind.JOIN_ROLE, ChangeKind.GRANT_ACCESS):
        warnings.append("It holds until it is taken back.")
    lines = _of_person(hit[0]) if len(hit) == 1 else _of_role(hit, change.was, change.rights)
    verb = _IN_WORDS.get(change.kind, "change the rights of")
    name = change.person.username if change.person else change.username or f"the role {change.role}"
    return Effect(headline=f"{change.words}.", button=f"{verb} {name}", lines=tuple(lines), warnings=tuple(warnings))


def _of_person(one: Affected) -> list[EffectLine]:
    lines = [
        EffectLine("Rights", _listed(one.before.rights), _listed(one.after.rights), one.after.username),
        EffectLine("Pages", _pages(one.before), _pages(one.after)),
    ]
    desks, groups = dict(Desk.objects.values_list("pk", "code")), dict(AccountGroup.objects.values_list("pk", "code"))
    for right, label in _GRANTS:
        names = desks if right in (VIEW_DESK, TRADE_DESK) else groups
        now, then = (_listed(names.get(pk, str(pk)) for pk in who.granted(right)) for who in (one.before, one.after))
        if now != then:
            lines.append(EffectLine(label, now, then))
    return lines


def _of_role(hit: Sequence[Affected], was: Sequence[str], rights: Sequence[str]) -> list[EffectLine]:
    lines = [EffectLine("Rights of the role", _listed(was), _listed(rights))] if was or rights else []
    moved = [one.after.username for one in hit if one.before != one.after]
    more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
    lines.append(EffectLine("People it changes", "", ", ".join(moved[:MOST_NAMED]) + more or "nobody"))
    for one in [one for one in hit if one.before != one.after][:MOST_NAMED]:
        lines.append(EffectLine(f"Pages of {one.after.username}", _pages(one.before), _pages(one.after)))
    return lines


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _pages(actor: Principal) -> str:
    return ", ".join(page.title for page in pages_of(actor)) or "none"
