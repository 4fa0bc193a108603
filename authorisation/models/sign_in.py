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


class Factor(models.Model):
    """One second factor of a person: an authenticator app (``totp``) or a security key or passkey (``webauthn``).

    The secret of an app is sealed (``authorisation.sealing``); ``last_step`` is the last time step whose code was taken,
    so that no code works twice. Of a key there is nothing secret: its public half and how often it says it signed.
    """

    class Kind(models.TextChoices):
        TOTP = "totp", "Authenticator app"
        WEBAUTHN = "webauthn", "Security key or passkey"

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="factors")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=60)
    secret = models.TextField(default="")
    last_step = models.BigIntegerField(default=0)
    credential_id = models.TextField(null=True, unique=True)
    public_key = models.TextField(default="")
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind="totp", credential_id__isnull=True, public_key="") & ~models.Q(secret="")
                | models.Q(kind="webauthn", credential_id__isnull=False, secret="") & ~models.Q(public_key=""),
                name="authorisation_factor_is_of_its_kind",
            ),
        ]


class RecoveryCode(models.Model):
    """One code that stands in for a lost factor, once. Only its SHA-256 is kept; it has 120 random bits."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class FormerPassword(models.Model):
    """The hash of a password somebody had, so that it is not taken again. The last few of each person are kept."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey("authorisation.User", on_delete=models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    replaced_at = models.DateTimeField()


class SignInLink(models.Model):
    """A one-time link by which somebody sets a first or a new password. Only the SHA-256 of its token is kept.

    ``request`` is the second person's word it was issued on; the people of a first run and new people need none.
    """

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True)
    request = models.OneToOneField("authorisation.AuthorisationRequest", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
