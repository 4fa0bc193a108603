"""Reads what a serializer cannot: query parameters, and the rows of a batch one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.settings import api_settings

from kernel.errors import Invalid
from orders.api.serializers import OrderBodySerializer, order_terms
from orders.domain.terms import OrderTerms

FILTERS = {"cursor", "limit", "open", "account", "symbol", "client_order_id"}
UNREADABLE = "Some query parameters are unknown or malformed."


def refuse_parameters(request: Request, known: Collection[str]) -> None:
    """Raise Invalid for a query parameter that is not known, or that is given twice: which of the two was meant?"""
    faults = {name: ["Not known."] for name in request.query_params if name not in known}
    faults |= {name: ["Given twice."] for name, values in request.query_params.lists() if len(values) > 1}
    if faults:
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)


def read_day(parameters: Mapping[str, str], name: str, faults: dict[str, list[str]]) -> date | None:
    """A day as the document of the API writes it, None where none is given; else a fault."""
    if name not in parameters:
        return None
    try:
        if len(parameters[name]) != len("2026-11-25"):
            raise ValueError
        return date.fromisoformat(parameters[name])
    except ValueError:
        faults[name] = ["A day as 2026-11-25."]
        return None


def read_word(
    parameters: Mapping[str, str], name: str, known: Collection[str], faults: dict[str, list[str]], *, absent: str = ""
) -> str:
    """One of the known words, ``absent`` where none is given; else a fault."""
    word = parameters.get(name, absent)
    if name in parameters and word not in known:
        faults[name] = [f"One of {', '.join(known)}."]
    return word


def read_dry_run(parameters: Mapping[str, str]) -> bool:
    """Whether nothing shall be kept; raises Invalid for anything but true or false."""
    text = parameters.get("dry_run", "false")
    if text not in ("true", "false"):
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, {"dry_run": ["true or false."]})
    return text == "true"


def read_filters(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of ``list_orders``. Raises Invalid for malformed parameters."""
    faults: dict[str, list[str]] = {
        name: ["Holds a NUL character."] for name, value in parameters.items() if "\x00" in value
    }
    limit = parameters.get("limit", "100")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 500):
        faults["limit"] = ["A whole number from 1 to 500."]
    cursor: UUID | None = None
    if parameters.get("cursor"):
        try:
            cursor = UUID(parameters["cursor"])
        except ValueError:
            faults["cursor"] = ["Not a next_cursor of ours."]
    only_open = parameters.get("open", "false").lower()
    if only_open not in ("true", "false"):
        faults["open"] = ["true or false."]
    if faults:
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
    return {
        "before": cursor,
        "limit": int(limit),
        "open_only": only_open == "true",
        "account": parameters.get("account", ""),
        "symbol": parameters.get("symbol", ""),
        "client_order_id": parameters.get("client_order_id", ""),
    }


def read_batch(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[tuple[str, OrderTerms]], list[dict[str, Any] | None]]:
    """Well-formed rows by their ``client_order_id``, and for each row its answer if it is malformed, else None.

    A row without an id, or with an id another row of the batch has too, is malformed: its answer could not be told.
    """
    ids = Counter(str(row.get("client_order_id", "")) for row in rows)
    good: list[tuple[str, OrderTerms]] = []
    answers: list[dict[str, Any] | None] = []
    for row in rows:
        name = str(row.get("client_order_id", ""))
        serializer = OrderBodySerializer(data=row)
        faults: dict[str, Any] = {} if serializer.is_valid() else dict(serializer.errors)
        if not name:
            faults["client_order_id"] = ["Every row of a batch needs one."]
        elif ids[name] > 1:
            faults["client_order_id"] = ["Stands twice in this batch."]
        if faults:
            answers.append(
                {
                    "client_order_id": name,
                    "outcome": "invalid",
                    "code": "BODY_INVALID",
                    "sentence": "Some fields are missing, unknown or malformed.",
                    "fields": {key or api_settings.NON_FIELD_ERRORS_KEY: said for key, said in faults.items()},
                }
            )
        else:
            answers.append(None)
            good.append((name, order_terms(serializer.validated_data)))
    return good, answers
