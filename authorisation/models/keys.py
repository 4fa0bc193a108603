"""Keys of the API: whose they are, what they open, from where, how often; and what they were last used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

if TYPE_CHECKING:
    from authorisation.domain.principal import Principal


class ApiKey(models.Model):
    """How one user calls the API: a bearer token, of which only the SHA-256 is kept, or a key that signs every request.

    ``scopes`` is what the key opens of what its user may do; None narrows nothing and is for bearer tokens alone. No
    ``addresses``: from anywhere. ``replaces`` is the key this one was made to take over from;
    ``secret_for`` who asked for it, until that person has seen its secret.
    ``principal`` is set on a key found by a request: the user's rights and grants of that moment.
    """

    class Scheme(models.TextChoices):
        BEARER = "bearer"
        SIGNED = "signed"

    principal: Principal

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    scheme = models.CharField(max_length=8, choices=Scheme.choices, default=Scheme.BEARER, db_default=Scheme.BEARER)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True, null=True)
    sealed_secret = models.TextField(default="", db_default="")
    scopes = ArrayField(models.CharField(max_length=40), null=True)
    addresses = ArrayField(models.CharField(max_length=43), default=list, db_default=[])
    rate = models.PositiveIntegerField(null=True, help_text="requests a second")
    burst = models.PositiveIntegerField(null=True, help_text="requests at once")
    replaces = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    secret_for = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="authorisation_key_of_one_scheme",
                condition=models.Q(scheme="bearer", digest__isnull=False, sealed_secret="")
                | models.Q(
                    ~models.Q(sealed_secret=""),
                    scheme="signed",
                    digest__isnull=True,
                    scopes__isnull=False,
                    rate__gt=0,
                    burst__gt=0,
                ),
            ),
        ]


class KeyUse(models.Model):
    """When and from where a signed key last came, and how much of its rate is used (see ``domain/api_keys.py``)."""

    key = models.OneToOneField(ApiKey, primary_key=True, on_delete=models.CASCADE, related_name="use")
    full_at_us = models.BigIntegerField()
    last_used_at = models.DateTimeField()
    last_source = models.CharField(max_length=45)


class KeyNonce(models.Model):
    """A nonce a key has signed with, kept a little longer than its signature would be taken."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    nonce = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "nonce"], name="authorisation_nonce_once")]
