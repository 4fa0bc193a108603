"""The API of saved schemes: read them, and ask a second person for another. What a key's owner may not see is not there."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.domain.methods import MOST_LINES
from allocations.domain.schemes import LONGEST_NAME, LONGEST_STRATEGY
from allocations.domain.words import Method
from allocations.models import Scheme
from allocations.selectors.schemes import body_of, get_scheme, newest_schemes, seen_lines, versions_of, waiting_for
from allocations.services._acting import LONGEST_REASON, Acted
from allocations.services.ask_scheme import ask_scheme, ask_scheme_end
from authorisation.domain.principal import Principal
from authorisation.domain.scopes import ALLOCATE_WRITE, POST_TRADE_READ
from kernel.clock import utc_now
from kernel.texts import utc_text
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView


class SchemeBodySerializer(StrictSerializer):
    """A whole scheme. Lines and parameters are read by ``domain.schemes``, which says what is wrong by line."""

    code = serializers.RegexField(r"^[A-Z0-9][A-Z0-9-]{1,23}$")
    name = serializers.CharField(max_length=LONGEST_NAME)
    desk = serializers.CharField(max_length=24, allow_blank=True, default="", help_text="Empty: of every desk")
    method = serializers.ChoiceField(choices=[method.value for method in Method])
    lines = serializers.ListField(child=serializers.DictField(), max_length=MOST_LINES)
    parameters = serializers.DictField(default=dict)
    wash_account = serializers.CharField(max_length=24, allow_blank=True, default="", help_text="Whose default it is")
    strategy = serializers.CharField(max_length=LONGEST_STRATEGY, allow_blank=True, default="")
    books_alone = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=LONGEST_REASON)


class EndBodySerializer(StrictSerializer):
    """Why it is to end."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class SchemeVersionAnswer(serializers.Serializer[Any]):
    """A version of a scheme; the newest counts. ``hidden_lines``: of accounts that the key's owner may not see."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    desk = serializers.CharField(allow_blank=True)
    method = serializers.CharField()
    lines = serializers.ListField(child=serializers.DictField())
    hidden_lines = serializers.IntegerField()
    parameters = serializers.DictField()
    wash_account = serializers.CharField(allow_blank=True)
    strategy = serializers.CharField(allow_blank=True)
    books_alone = serializers.BooleanField()
    ended = serializers.BooleanField()
    request_id = serializers.UUIDField(allow_null=True)
    recorded_at = serializers.DateTimeField()


class SchemeAnswer(serializers.Serializer[Any]):
    """One, with every version of it and the request that waits for a second person."""

    versions = SchemeVersionAnswer(many=True)
    waiting_for = serializers.UUIDField(allow_null=True)


class SchemeHeadAnswer(serializers.Serializer[Any]):
    """The newest version of a scheme, without its lines."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    desk = serializers.CharField(allow_blank=True)
    method = serializers.CharField()
    accounts = serializers.IntegerField()
    wash_account = serializers.CharField(allow_blank=True)
    strategy = serializers.CharField(allow_blank=True)
    books_alone = serializers.BooleanField()
    ended = serializers.BooleanField()
    waiting_for = serializers.UUIDField(allow_null=True)


class SchemesAnswer(serializers.Serializer[Any]):
    """By code."""

    schemes = SchemeHeadAnswer(many=True)


class AskedAnswer(serializers.Serializer[Any]):
    """It waits for a second person; nothing has changed."""

    sentence = serializers.CharField()
    authorisation_id = serializers.UUIDField()


class SchemesView(OrderApiView):
    """``/allocation-schemes``: the newest version of each; ask for another."""

    scopes = {"GET": POST_TRADE_READ, "POST": ALLOCATE_WRITE}

    @extend_schema(operation_id="allocation_schemes_list", responses={200: SchemesAnswer})
    def get(self, request: Request) -> Response:
        found = newest_schemes(self.principal())
        waiting = waiting_for([scheme.code for scheme in found])
        heads = [_head(scheme) | {"waiting_for": _text(waiting.get(scheme.code))} for scheme in found]
        return Response({"schemes": heads})

    @extend_schema(
        operation_id="allocation_schemes_ask",
        request=SchemeBodySerializer,
        parameters=[KEY],
        responses={202: AskedAnswer},
    )
    def post(self, request: Request) -> Response:
        body = self.body(SchemeBodySerializer)

        def work() -> tuple[int, Any]:
            given = {name: value for name, value in body.items() if name != "reason"}
            asked = ask_scheme(
                actor=self.principal(), at=utc_now(), idempotency_key=self.key(), route="api.scheme.ask", given=given,
                reason=body["reason"],
            )  # fmt: skip
            return 202, _asked(asked)

        return self.once(body, work)


class SchemeView(OrderApiView):
    """``/allocation-schemes/{code}``: one with its versions."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="allocation_schemes_get", responses={200: SchemeAnswer})
    def get(self, request: Request, scheme: str) -> Response:
        actor = self.principal()
        code = get_scheme(actor, scheme).code
        versions = [_version(actor, row) for row in versions_of(actor, code)]
        return Response({"versions": versions, "waiting_for": _text(waiting_for([code]).get(code))})


class SchemeEndView(OrderApiView):
    """``/allocation-schemes/{code}/end``: ask that no block is divided by it any more."""

    scopes = {"POST": ALLOCATE_WRITE}

    @extend_schema(
        operation_id="allocation_schemes_end",
        request=EndBodySerializer,
        parameters=[KEY],
        responses={202: AskedAnswer},
    )
    def post(self, request: Request, scheme: str) -> Response:
        body = self.body(EndBodySerializer)

        def work() -> tuple[int, Any]:
            asked = ask_scheme_end(
                actor=self.principal(), at=utc_now(), idempotency_key=self.key(), route="api.scheme.end", code=scheme,
                reason=body["reason"],
            )  # fmt: skip
            return 202, _asked(asked)

        return self.once(body, work)


def _head(scheme: Scheme) -> dict[str, Any]:
    body = body_of(scheme)
    names = ("code", "name", "desk", "method", "wash_account", "strategy", "books_alone")
    return {name: body[name] for name in names} | {
        "version": scheme.version, "accounts": len(scheme.lines), "ended": scheme.ended,
    }  # fmt: skip


def _version(actor: Principal, scheme: Scheme) -> dict[str, Any]:
    lines, hidden = seen_lines(actor, scheme.lines)
    return body_of(scheme) | {
        "lines": lines, "hidden_lines": hidden, "version": scheme.version, "ended": scheme.ended,
        "request_id": _text(scheme.request_id), "recorded_at": utc_text(scheme.recorded_at),
    }  # fmt: skip


def _asked(asked: Acted) -> dict[str, Any]:
    return {"sentence": asked.sentence, "authorisation_id": str(asked.authorisation_id)}


def _text(value: object) -> str | None:
    return str(value) if value else None
