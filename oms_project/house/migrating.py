"""Migrations at half their cost. ``python -m oms_project.house.migrating`` is ``manage.py migrate`` for a machine.

Two hundred migrations draw every model some seventy times; half of that time went into two things that nobody needs:

* Each state field of a drawn model listens for transitions of every model drawn after it. A drawn model has no methods and
  so no transitions: there its state is a plain field.
* The collector of cycles walks all that was drawn, again and again. It walks more seldom; the process ends soon after.

For processes that do nothing else.
"""

from __future__ import annotations

import gc
import os
from typing import Any

THRESHOLDS = (50_000, 20, 20)


def migrate() -> None:
    """Bring the tables up to date."""
    from django.core.management import call_command

    gc.set_threshold(*THRESHOLDS)
    _deafen_drawn_models()
    call_command("migrate", interactive=False, verbosity=0)


def _deafen_drawn_models() -> None:
    from django_fsm import FSMFieldMixin

    listening = FSMFieldMixin.contribute_to_class

    def contribute_to_class(self: Any, cls: type, name: str, **options: Any) -> None:
        if cls.__module__ == "__fake__":  # as Django calls what it draws
            super(FSMFieldMixin, self).contribute_to_class(cls, name, **options)
        else:
            listening(self, cls, name, **options)

    FSMFieldMixin.contribute_to_class = contribute_to_class


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
    django.setup()
    migrate()
