"""Idempotency as the services of this room use it: whose key it is, what is hashed, and how a stored answer is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar
from uuid import UUID

import orjson

from authorisation.domain.principal import Principal
from journal.domain.idempotency import require_same
from journal.domain.records import StoredAnswer
from kernel.canonical import jsonable, sha256
from orders.domain.results import CaptureResult
from orders.models import OrderRequest
from risk.domain.answers import Acknowledgement, answer_from_json

Result = TypeVar("Result", bound=CaptureResult)


def key_owner(actor: Principal) -> str:
    """Keys belong to the user, so that a partner may rotate its token between a call and its repetition."""
    return f"user:{actor.user_id}" if actor.user_id else actor.actor


LATER = frozenset({"instructed_by", "discretion"})


def terms_content(terms: Any) -> dict[str, Any]:
    """Every field of a frozen terms value by name; of fields that came later only those that say something, so that a
    key of before still finds its answer."""
    named = ((item.name, getattr(terms, item.name)) for item in fields(terms))
    return {name: value for name, value in named if value or name not in LATER}


def content_hash(content: Any, acknowledgements: Sequence[Acknowledgement], **more: Any) -> str:
    """Digest of everything a caller sent: a frozen terms value, its acknowledgements, and what else names the request."""
    terms = terms_content(content) if content is not None else None
    said = [[item.code, item.reason] for item in acknowledgements]
    whole = {"terms": terms, "acknowledgements": said, **more}
    return sha256(orjson.dumps(whole, default=jsonable, option=orjson.OPT_SORT_KEYS)).hex()


def replay(kind: type[Result], *, answer: Mapping[str, Any], key: str, stored_hash: str, own_hash: str) -> Result:
    """The answer once given, with the checks kept by its request. Raises Conflict when the content differs."""
    require_same(StoredAnswer(stored_hash, 0, answer), key=key, payload_hash=own_hash)
    request_id = UUID(answer["request_id"])
    checks = OrderRequest.objects.values_list("checks", flat=True).get(id=request_id)
    authorisation_id = answer["authorisation_id"]
    return kind(
        order_id=UUID(answer["order_id"]),
        ref=answer["ref"],
        request_id=request_id,
        cl_ord_id=answer["cl_ord_id"],
        state=answer["state"],
        outcome=answer["outcome"],
        checks=tuple(answer_from_json(item) for item in checks),
        replayed=True,
        authorisation_id=UUID(authorisation_id) if authorisation_id else None,
    )
