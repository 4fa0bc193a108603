"""What the web server loads knows our broker."""

from __future__ import annotations

from celery import current_app
from django.conf import settings

from oms_project import wsgi
from orders.tasks import work_upload


def test_tasks_sent_from_pages_go_to_our_broker() -> None:
    assert callable(wsgi.application)
    assert current_app.main == "oms"
    assert work_upload.app.conf.broker_url == settings.CELERY_BROKER_URL
