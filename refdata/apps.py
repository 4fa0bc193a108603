from django.apps import AppConfig


class RefdataConfig(AppConfig):
    name = "refdata"
    default_auto_field = "django.db.models.BigAutoField"
