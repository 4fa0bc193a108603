"""What the API of comparisons answers, as its OpenAPI document describes it. Nothing is serialised by these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reconciliation.domain import transitions as moves
from reconciliation.domain.records import RECONCILED
from reconciliation.models import Break, Run, RunBreak

KINDS = [kind.value for kind in RECONCILED]


class ComparedFile(serializers.Serializer[Any]):
    """The kept file a comparison read."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    sha256 = serializers.CharField()


class RunAnswer(serializers.Serializer[Any]):
    """A comparison. ``new``, ``standing`` and ``closed`` count the breaks you may see.

    ``done`` to ``matched`` are the firm's figures: null where they are not yours to see.
    """

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS)
    source = serializers.CharField()  # type: ignore[assignment]
    file = ComparedFile(allow_null=True)
    as_of = serializers.DateField()
    trigger = serializers.ChoiceField(choices=Run.Trigger.values)
    state = serializers.ChoiceField(choices=[state for state, _ in Run.STATES])
    step = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)
    new = serializers.IntegerField()
    standing = serializers.IntegerField()
    closed = serializers.IntegerField()
    done = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)
    internal = serializers.IntegerField(allow_null=True)
    external = serializers.IntegerField(allow_null=True)
    matched = serializers.IntegerField(allow_null=True)
    rules_version = serializers.IntegerField()
    started_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    signed_by = serializers.CharField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)


class RunsAnswer(serializers.Serializer[Any]):
    """Newest first; ``next`` is the ``before`` of the next page, null at the end."""

    runs = RunAnswer(many=True)
    next = serializers.CharField(allow_null=True)


class BreakMatter(serializers.Serializer[Any]):
    """The exception in which somebody owns the break."""

    id = serializers.UUIDField()
    owner = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_blank=True)
    due_at = serializers.DateTimeField(allow_null=True)


class BreakAnswer(serializers.Serializer[Any]):
    """A break of a run; figures are text. ``word`` is as this run saw it, ``state`` as it is now."""

    ref = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    source = serializers.CharField()  # type: ignore[assignment]
    category = serializers.ChoiceField(choices=Break.Category.values)
    word = serializers.ChoiceField(choices=RunBreak.Word.values)
    state = serializers.ChoiceField(choices=[moves.OPEN, moves.ACCEPTED, moves.CLOSED])
    closed_as = serializers.ChoiceField(choices=Break.ClosedAs.values, allow_null=True)
    why = serializers.CharField()
    suggestion = serializers.CharField(allow_blank=True)
    ids = serializers.DictField()
    ours = serializers.DictField()
    theirs = serializers.DictField()
    differences = serializers.ListField(child=serializers.DictField())
    exposure = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    effect = serializers.CharField(allow_null=True)
    recurrence = serializers.IntegerField()
    order_id = serializers.UUIDField(allow_null=True)
    event_at = serializers.DateTimeField(allow_null=True)
    found_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    exception = BreakMatter(allow_null=True)


class RunBreaksAnswer(serializers.Serializer[Any]):
    """By number, oldest first; ``next`` is the ``after`` of the next page, null at the end."""

    breaks = BreakAnswer(many=True)
    next = serializers.IntegerField(allow_null=True)


class LeftOpenAnswer(serializers.Serializer[Any]):
    """What a run left open, as of now. Counts are the firm's: null where they are not yours. ``why_not``: why you may not sign."""

    open = serializers.IntegerField(allow_null=True)
    accepted = serializers.IntegerField(allow_null=True)
    by_category = serializers.DictField(child=serializers.IntegerField())
    exposure = serializers.DictField(child=serializers.CharField())
    digest = serializers.CharField()
    why_not = serializers.CharField(allow_null=True)


class ReportColumn(serializers.Serializer[Any]):
    """A column: its key in each row, and what people read."""

    name = serializers.CharField()
    title = serializers.CharField()


class ReportAbout(serializers.Serializer[Any]):
    """A named report. ``words`` are the classes of its rows with what each means; ``by`` what it can be asked by."""

    name = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField()
    by = serializers.ListField(child=serializers.ChoiceField(choices=["date", "batch", "outage"]))
    words = serializers.DictField(child=serializers.CharField())
    columns = ReportColumn(many=True)


class ReportsAnswer(serializers.Serializer[Any]):
    """In the order in which a desk reads them."""

    reports = ReportAbout(many=True)


class ReportAnswer(ReportAbout):
    """Its rows by column name; figures are text. ``counts``: rows of each word, all of them; ``next``: the next ``offset``."""

    date = serializers.DateField()
    as_of = serializers.DateTimeField()
    counts = serializers.DictField(child=serializers.IntegerField())
    left_out = serializers.BooleanField()
    rows = serializers.ListField(child=serializers.DictField())
    next = serializers.IntegerField(allow_null=True)
