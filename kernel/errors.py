"""Base errors. Every refusal carries a stable UPPER_SNAKE code and one sentence a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OmsError(Exception):
    """Base of every error a door may answer with.

    ``code`` is stable and UPPER_SNAKE, ``sentence`` is for people, ``context`` holds facts safe to show.
    """

    http_status = 500

    def __init__(self, code: str, sentence: str, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.context: dict[str, Any] = dict(context or {})


class Refused(OmsError):
    """We said no: the request is well formed but a rule of the house forbids it."""

    http_status = 422


class Unauthenticated(OmsError):
    """We do not know who asks: nothing of the request was looked at beyond that."""

    http_status = 401


class TooMany(OmsError):
    """More than was agreed came in a while; ``context["retry_after_s"]`` says when the same call may be tried again."""

    http_status = 429


class NotPermitted(OmsError):
    """The actor may see the subject but not do this with it."""

    http_status = 403


class NotFound(OmsError):
    """No such row, or none the actor may know of: the two look the same on purpose."""

    http_status = 404


class Invalid(OmsError):
    """Malformed input. ``fields`` maps a field name to its sentences."""

    http_status = 400

    def __init__(
        self,
        code: str,
        sentence: str,
        fields: Mapping[str, list[str]] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, sentence, context)
        self.fields: dict[str, list[str]] = dict(fields or {})


class Conflict(OmsError):
    """The state of the subject, or an earlier use of the same key, contradicts the request."""

    http_status = 409


class Unavailable(OmsError):
    """A part needed to decide is not there now. Nothing was done; the same call may be tried again."""

    http_status = 503


class InvariantBroken(OmsError):
    """Something that can never be is. Fail closed, quarantine the subject, tell a person."""

    http_status = 500
