"""What the API of files answers, as its OpenAPI document describes it. Nothing is serialised by these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reconciliation.models import FeedFile


class FileAnswer(serializers.Serializer[Any]):
    """A kept file: whose word it is, of which day, what reading it found. ``said`` are its sender's control totals, ``counted`` ours."""

    id = serializers.UUIDField()
    feed = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    format = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    state = serializers.ChoiceField(choices=FeedFile.State.values)
    date = serializers.DateField(allow_null=True)
    cut_at = serializers.DateTimeField(allow_null=True)
    sequence = serializers.CharField(allow_null=True)
    said = serializers.DictField()
    counted = serializers.DictField()
    signed_by = serializers.CharField(allow_null=True)
    received_by = serializers.CharField()
    received_at = serializers.DateTimeField()
    problems = serializers.ListField(child=serializers.DictField())


class FilesAnswer(serializers.Serializer[Any]):
    """Newest first; ``next`` is the ``before`` of the next page, null at the end."""

    files = FileAnswer(many=True)
    next = serializers.UUIDField(allow_null=True)


class ChangedRow(serializers.Serializer[Any]):
    """A row that is ``new``, ``changed`` or ``gone``, with what it was and is."""

    word = serializers.ChoiceField(choices=["new", "changed", "gone"])
    line = serializers.IntegerField(allow_null=True)
    line_before = serializers.IntegerField(allow_null=True)
    named = serializers.CharField()
    was = serializers.CharField(allow_null=True)
    now = serializers.CharField(allow_null=True)


class SinceAnswer(serializers.Serializer[Any]):
    """Against the file that was applied before it: how many rows are new, changed, gone and the same, and the first of each."""

    file_id = serializers.CharField()
    file = serializers.CharField()
    day = serializers.CharField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    gone = serializers.IntegerField()
    same = serializers.IntegerField()
    rows = ChangedRow(many=True)


class IntakeAnswer(serializers.Serializer[Any]):
    """A file of the start of day on its way into the books. Amounts are text."""

    file_id = serializers.UUIDField()
    intake_id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    day = serializers.DateField()
    cut_at = serializers.DateTimeField()
    state = serializers.CharField()
    sentence = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    totals = serializers.DictField()
    since_last = SinceAnswer(allow_null=True)
    problems = serializers.ListField(child=serializers.DictField())


class IntakesAnswer(serializers.Serializer[Any]):
    """Newest first; ``next`` is the ``before`` of the next page, null at the end."""

    intakes = IntakeAnswer(many=True)
    next = serializers.UUIDField(allow_null=True)


class FaultAnswer(serializers.Serializer[Any]):
    """What was noticed when the file came. ``refuses``: nothing of it is used."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    refuses = serializers.BooleanField()


class BroughtAnswer(serializers.Serializer[Any]):
    """What was found. ``look_at``: where what becomes of it is told; null for a file that was refused."""

    file = FileAnswer()
    duplicate = serializers.BooleanField()
    faults = FaultAnswer(many=True)
    intake = IntakeAnswer(allow_null=True)
    look_at = serializers.CharField(allow_null=True)
