"""The contracts as JSON Schema, one document a family, and what would break a published one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from outbound.domain.contracts import CONTRACTS, FAMILY_VERSIONS, ORDER, TRADE, Contract

Schema = dict[str, Any]
_UUID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "format": "date-time"}
_SUBJECTS: dict[str, Schema] = {
    ORDER: {
        "type": {"const": "order"},
        "id": _UUID,
        "ref": {"type": "string", "description": "The house's reference of the order."},
        "client_order_id": {"type": ["string", "null"], "description": "The sender's own id of the order."},
        "account": {"type": "string", "description": "Code of the account."},
    },
    "stop": {"type": {"const": "stop"}, "id": _UUID},
    TRADE: {
        "type": {"const": "trade"},
        "id": {**_UUID, "description": "The allocation the trade is now; another one after a re-allocation."},
        "ref": {"type": "string", "description": "The trade's name: the same in all that becomes of it."},
        "account": {"type": "string", "description": "Code of the account."},
    },
    "exception": {"type": {"const": "exception"}, "id": _UUID},
}


def file_name(family: str) -> str:
    """Where the schema of a family lies, in ``docs/formats/events``."""
    return f"{family}.v{FAMILY_VERSIONS[family]}.json"


def family_schema(family: str) -> Schema:
    """JSON Schema (2020-12) of every event of a family as it is delivered."""
    kinds = [one for one in CONTRACTS if one.family == family]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:oms:events:{family}:{FAMILY_VERSIONS[family]}",
        "title": f"Events of the family {family}, version {FAMILY_VERSIONS[family]}",
        "oneOf": [_kind_schema(contract) for contract in kinds],
    }


def _kind_schema(contract: Contract) -> Schema:
    version = FAMILY_VERSIONS[contract.family]
    return {
        "title": contract.kind,
        "description": contract.why,
        **_object(
            {
                "id": {
                    **_UUID,
                    "description": "The same whenever and however often the event is told: deduplicate by it.",
                },
                "position": {"type": "string", "description": "Opaque: read on behind it."},
                "kind": {"const": contract.kind},
                "version": {"const": version},
                "subject": _object(_SUBJECTS[contract.subject]),
                "sequence": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Rises within the subject; may skip numbers.",
                },
                "event_at": {**_MOMENT, "description": "When it happened."},
                "recorded_at": {**_MOMENT, "description": "When the house wrote it down."},
                "business_date": {"type": "string", "format": "date"},
                "correlation_id": {**_UUID, "description": "The same in everything one instruction led to."},
                "data": _object({field.name: field.schema for field in contract.fields}),
            }
        ),
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": True}


def breaking_changes(published: Schema, now: Schema) -> list[str]:
    """What a reader of the published schema would trip over in events of the one of now; empty when all of it still holds.

    Allowed: a kind more, a field more. Broken: a kind or field gone, another type or form, null where there was none, a
    word that was not in the list, a constant that is another.
    """
    kinds = {one["title"]: one for one in now["oneOf"]}
    found: list[str] = []
    for old in published["oneOf"]:
        if old["title"] not in kinds:
            found.append(f"{old['title']} is gone")
        else:
            found += _broken(old["title"], old, kinds[old["title"]])
    return found


def _broken(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in ("const", "format", "pattern"):
        if name in old and old[name] != new.get(name):
            yield f"{where}: {name} was {old[name]}, is {new.get(name)}"
    if "type" in old:
        more = _types(new) - _types(old)
        if more or not _types(new):
            yield f"{where}: may now be {', '.join(sorted(more)) or 'anything'}"
    if "items" in old:
        yield from _broken(f"{where}[]", old["items"], new.get("items", {}))
    if "enum" in old and ("enum" not in new or set(new["enum"]) - set(old["enum"])):
        yield f"{where}: words beyond the published ones"
    for name in old.get("required", ()):
        if name not in new.get("required", ()):
            yield f"{where}.{name} is no longer always there"
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from _broken(f"{where}.{name}", schema, new["properties"][name])


def _types(schema: Mapping[str, Any]) -> set[str]:
    said = schema.get("type", [])
    return {said} if isinstance(said, str) else set(said)
