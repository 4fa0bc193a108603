"""What signing in leaves: sessions. Whoever reads these tables can neither come in with them nor learn a secret."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Session(models.Model):
    """One browser that is signed in, or on its way. Only the SHA-256 of its cookie is kept.

    ``id`` stays the same when the cookie is changed, as it is whenever what the session may do changes. Its end is
    ``expires_at``, moved on by real use and never past the absolute time-out.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    id = models.UUIDField()
    user = models.ForeignKey(
        "authorisation.User", null=True, on_delete=models.CASCADE, related_name="sessions", db_index=False
    )
    data = models.TextField()
    source = models.CharField(max_length=45, default="")
    device = models.CharField(max_length=80, default="")
    started_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="authorisation_session_ends"),
            models.Index(fields=["user"], name="authorisation_session_user", condition=models.Q(user__isnull=False)),
        ]
