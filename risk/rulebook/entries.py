"""What is changed by the same two steps, ask and decide: rules, mandates, collars, the marks of conduct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from kernel.canonical import jsonable
from kernel.errors import Conflict
from kernel.ids import new_id
from risk.locks import lock_entry
from risk.models import Collar, ConductPolicy, Mandate, Rule

KIND = "rule_change"
RULE, MANDATE, COLLAR, POLICY, RESTRICTION = "rule", "mandate", "collar", "policy", "restriction"
SET, END, REMOVE = "set", "end", "remove"
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changeable:
    """One kind of entry: its table, by which columns it is known, what people call one, and how it may end."""

    model: type[models.Model]
    key: tuple[str, ...]
    fields: tuple[str, ...]
    called: Callable[[Entry], str]
    ends: str = ""


def _for(word: str) -> Callable[[Entry], str]:
    return lambda entry: f"the {entry['scope']}'s {word}" + (f" ({entry['scope_id']})" if entry["scope_id"] else "")


CHANGEABLE: dict[str, Changeable] = {
    RULE: Changeable(
        Rule,
        ("code",),
        ("code", "title", "scope", "scope_id", "conditions", "verdict", "sentence", "source", "reason", "owner",
         "effective_from", "effective_until"),
        lambda entry: f"rule {entry['code']}",
        END,
    ),
    MANDATE: Changeable(
        Mandate,
        ("scope", "scope_id"),
        ("scope", "scope_id", "markets", "asset_classes", "currencies", "short_allowed", "owner"),
        _for("mandate"),
        REMOVE,
    ),
    COLLAR: Changeable(
        Collar,
        ("asset_class", "phase"),
        ("asset_class", "phase", "warn", "hard", "owner"),
        lambda entry: f"the collar of {entry['asset_class'] or 'any class'} in {entry['phase'] or 'any phase'}",
        REMOVE,
    ),
    POLICY: Changeable(
        ConductPolicy,
        (),
        ("duplicate_window_s", "self_trade_account", "self_trade_client", "self_trade_firm", "volume_warn", "volume_hard",
         "volume_unknown", "spread_warn", "depth_warn", "book_unknown", "basket_orders", "basket_notional",
         "basket_ratio", "owner"),
        lambda entry: "the marks of conduct",
    ),
}  # fmt: skip


def subject_of(about: str, entry: Entry) -> str:
    """The subject of a request: one open question each."""
    return ":".join([about, *(str(entry[name]) for name in CHANGEABLE[about].key)])


def key_of(about: str, entry: Entry) -> dict[str, Any]:
    """The columns by which an entry is known."""
    return {name: entry[name] for name in CHANGEABLE[about].key}


def standing(about: str, entry: Entry) -> models.Model | None:
    """The row of the same key as it stands, None when there is none."""
    return CHANGEABLE[about].model._default_manager.filter(**key_of(about, entry)).first()


def as_entry(about: str, row: models.Model | None) -> dict[str, Any] | None:
    """A row as it would have been entered: plain JSON."""
    if row is None:
        return None
    return {name: _plain(getattr(row, name)) for name in CHANGEABLE[about].fields}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else jsonable(value)


def apply_change(
    *, about: str, action: str, entry: Entry, version: int, at: datetime, reason: str, change_id: UUID
) -> int:
    """Write it; the version it stands at now. Raises Conflict RULE_CHANGED when another change came first."""
    kind = CHANGEABLE[about]
    row = lock_entry(kind.model, key_of(about, entry))
    if (getattr(row, "version", 0) if row is not None else 0) != version:
        name = kind.called(entry)
        raise Conflict(
            "RULE_CHANGED", f"{name[0].upper()}{name[1:]} was changed meanwhile; it must be asked for again."
        )
    if row is None:
        row = kind.model(**({"id": new_id()} if about == RULE else {}))
    row.change_id = change_id  # type: ignore[attr-defined]
    if action == REMOVE:
        row.save(update_fields=["change_id"])
        row._change_reason = reason[:100]  # type: ignore[attr-defined]
        row.delete()
        return version
    values = {"effective_until": at} if action == END else {name: entry[name] for name in kind.fields}
    for name, value in values.items():
        setattr(
            row,
            name,
            datetime.fromisoformat(value) if name.startswith("effective_") and isinstance(value, str) else value,
        )
    if action == END and row.effective_from > at:  # type: ignore[attr-defined]
        row.effective_until = row.effective_from  # type: ignore[attr-defined]
    row.version = version + 1  # type: ignore[attr-defined]
    row._history_date, row._change_reason = at, reason[:100]  # type: ignore[attr-defined]
    row.save()
    return version + 1
