"""Send people their notices by mail: one message a person with what gathered in a minute. At least once, and no row is
locked while a mail server is spoken to.

A batch is claimed under a lease, sent, and marked. Who dies between sending and marking sends again after the lease, and a
mail server that is down is tried six times with growing pauses; then the mail is given up, and an exception says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from authorisation.models import User
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from operations.domain.notices import sentence_of
from operations.locks import lock_due_mail
from operations.models import Notice

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
TRIES = 6
MOST = 500
MOST_LINES = 100
MAIL_FAILING = "MAIL_FAILING"
ACTOR = "process:mail"


def send_notice_mail(*, at: datetime) -> int:
    """How many messages went out."""
    if not settings.MAIL_HOST:
        return 0
    with transaction.atomic():
        rows = lock_due_mail(at, limit=MOST)
        Notice.objects.filter(pk__in=[row.pk for row in rows]).update(mail_due_at=at + LEASE)
    by_user: dict[int, list[Notice]] = {}
    for row in rows:
        by_user.setdefault(row.user_id, []).append(row)
    return sum(_send(user_id, notices, at) for user_id, notices in sorted(by_user.items()))


def _send(user_id: int, notices: Sequence[Notice], at: datetime) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    ids = [notice.pk for notice in notices]
    if user is None:
        Notice.objects.filter(pk__in=ids).update(mail_due_at=None)
        return False
    try:
        EmailMessage(subject=_subject(notices), body=_body(notices), to=[user.email]).send()
    except (SMTPException, OSError) as error:
        logger.warning("mail to user %s failed: %s", user_id, error)
        _failed(notices, at)
        return False
    Notice.objects.filter(pk__in=ids).update(mail_due_at=None, mailed_at=at)
    _tell(wrong=False, at=at, sentence="Mail is taken again.")
    return True


def _failed(notices: Sequence[Notice], at: datetime) -> None:
    for notice in notices:
        notice.mail_tries += 1
        given_up = notice.mail_tries >= TRIES
        notice.mail_due_at = None if given_up else at + timedelta(minutes=2**notice.mail_tries)
    Notice.objects.bulk_update(notices, ["mail_tries", "mail_due_at"])
    _tell(
        wrong=True,
        at=at,
        sentence=f"The mail server {settings.MAIL_HOST} takes no mail: notices reach people on their screens only.",
    )


def _tell(*, wrong: bool, at: datetime, sentence: str) -> None:
    anomaly = Anomaly(
        kind=MAIL_FAILING,
        severity=Severity.MEDIUM,
        subject_type="process",
        subject_id="mail",
        sentence=sentence,
        dedupe_key="mail:notices",
    )
    set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR, at=at)


def _subject(notices: Sequence[Notice]) -> str:
    count = sum(notice.count for notice in notices)
    return (
        f"OMS: {sentence_of(notices[0].about, notices[0].kind, notices[0].count)}"
        if len(notices) == 1
        else f"OMS: {count} notices"
    )


def _body(notices: Sequence[Notice]) -> str:
    """Kinds and counts; what stands in an item never leaves the house by mail."""
    lines = [
        f"{one.first_at:%H:%M} UTC  {one.severity:8}  {sentence_of(one.about, one.kind, one.count)}"
        for one in notices[:MOST_LINES]
    ]
    more = [f"and {len(notices) - MOST_LINES} more lines"] if len(notices) > MOST_LINES else []
    return "\n".join([*lines, *more, "", "Look at them on the page Exceptions."])
