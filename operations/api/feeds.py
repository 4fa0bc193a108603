"""The API of feeds: what is agreed about each, and ask a second person for other terms. For whom ``/sync`` answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.scopes import RECONCILIATION_READ, RECONCILIATION_WRITE
from kernel.clock import utc_now
from operations.api.feed_files import FileApiView
from operations.selectors.recon.rules_page import list_feed_lines
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY
from reconciliation.domain.feed_changes import TERMS
from reconciliation.permissions import require_work
from reconciliation.services.ask_rule_change import ask_rule_change


class FeedTermsAnswer(serializers.Serializer[Any]):
    """A feed and its terms as text (docs/formats, ``domain.feed_changes``); ``version`` 0: as it was seeded."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    terms = serializers.DictField(child=serializers.CharField(allow_blank=True))
    waiting = serializers.UUIDField(allow_null=True)


class FeedsOfFilesAnswer(serializers.Serializer[Any]):
    """By code."""

    feeds = FeedTermsAnswer(many=True)


class FeedAskedAnswer(serializers.Serializer[Any]):
    """The request that waits for a second person."""

    authorisation_id = serializers.UUIDField()
    sentence = serializers.CharField()


class TermsSerializer(StrictSerializer):
    """Every term, as text: the feed is agreed whole."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: serializers.CharField(max_length=200, allow_blank=True) for name in TERMS}


class FeedTermsSerializer(StrictSerializer):
    """A code that no feed has asks for a new one."""

    code = serializers.CharField(max_length=24)
    reason = serializers.CharField(max_length=500)
    terms = TermsSerializer()


class FeedsView(FileApiView):
    """``/feeds``: what is agreed; ask for other terms of one, or for another feed."""

    scopes = {"GET": RECONCILIATION_READ, "POST": RECONCILIATION_WRITE}

    @extend_schema(operation_id="feeds_list", responses={200: FeedsOfFilesAnswer})
    def get(self, request: Request) -> Response:
        self.principal()
        feeds = [
            {"code": one.code, "version": one.version, "terms": one.typed, "waiting": one.waiting_id}
            for one in list_feed_lines()
        ]
        return Response({"feeds": feeds})

    @extend_schema(
        operation_id="feeds_change", request=FeedTermsSerializer, parameters=[KEY], responses={202: FeedAskedAnswer}
    )
    def post(self, request: Request) -> Response:
        said = self.body(FeedTermsSerializer)
        actor = self.principal()
        require_work(actor)

        def work() -> tuple[int, Any]:
            asked = ask_rule_change(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route="api-feeds", rule="feed",
                said={"code": said["code"], **said["terms"]}, reason=said["reason"],
            )  # fmt: skip
            return status.HTTP_202_ACCEPTED, {
                "authorisation_id": str(asked.authorisation_id),
                "sentence": asked.sentence,
            }

        return self.once(said, work)
