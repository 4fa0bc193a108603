"""The Celery application. Every task may be lost or run twice without harm; facts live in PostgreSQL."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
app = Celery("oms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.task_routes = {
    "allocations.*": {"queue": "post_trade"},
    **{f"{room}.*": {"queue": "batch"} for room in ("orders", "reconciliation", "operations")},
}
app.conf.beat_schedule = {
    "resume-uploads": {"task": "orders.resume_uploads", "schedule": 10.0, "options": {"expires": 10}},
    "mail-notices": {"task": "operations.mail_notices", "schedule": 20.0, "options": {"expires": 20}},
    "resume-trials": {"task": "operations.resume_trials", "schedule": 10.0, "options": {"expires": 10}},
    "resume-intakes": {"task": "reconciliation.resume_intakes", "schedule": 15.0, "options": {"expires": 15}},
    "collect-files": {"task": "reconciliation.collect_files", "schedule": 5.0, "options": {"expires": 5}},
    "collect-settlements": {
        "task": "allocations.collect_status_files",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "start-runs": {
        "task": "reconciliation.start_runs",
        "schedule": 15.0,
        "args": ("intraday",),
        "options": {"expires": 15},
    },
    "reconcile-again": {
        "task": "reconciliation.start_runs",
        "schedule": crontab(hour=0, minute=45),
        "args": ("nightly", True),
    },
    "issue-notes": {"task": "allocations.issue_notes", "schedule": 15.0, "options": {"expires": 15}},
    "run-due-days": {"task": "operations.run_due_days", "schedule": 30.0, "options": {"expires": 30}},
    "finish-proof": {"task": "operations.finish_proof", "schedule": 15.0, "options": {"expires": 15}},
    "prove-invariants": {"task": "operations.prove_invariants", "schedule": crontab(hour=1, minute=40)},
    "archive-days": {"task": "operations.archive_days", "schedule": crontab(hour=3, minute=20)},
    "replay-all": {"task": "operations.replay_all", "schedule": crontab(hour=2, minute=10)},
}
