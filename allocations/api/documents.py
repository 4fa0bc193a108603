"""What the answers of this room's API look like, for the document of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class FeedAnswer(serializers.Serializer[Any]):
    """Lines as docs/formats/trade_feed.md describes them."""

    trades = serializers.ListField(child=serializers.DictField())
    next = serializers.IntegerField()
    more = serializers.BooleanField()


class NoteAnswer(serializers.Serializer[Any]):
    """A contract note; ``facts`` is all that is printed, of one note alone."""

    id = serializers.UUIDField()
    ref = serializers.CharField()
    account = serializers.CharField()
    trade_date = serializers.DateField()
    mic = serializers.CharField()
    scope = serializers.CharField(help_text="day or trade")
    regime = serializers.CharField()
    state = serializers.CharField(help_text="issued or canceled")
    replaces = serializers.CharField(allow_null=True)
    cancels = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    issued_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    pdf_sha256 = serializers.CharField()
    facts = serializers.DictField(required=False)


class NotesAnswer(serializers.Serializer[Any]):
    """Newest first, at most a hundred."""

    notes = NoteAnswer(many=True)
