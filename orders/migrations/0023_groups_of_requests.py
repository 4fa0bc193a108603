"""Requests for a second person that were raised before they knew it are told the account group they are about."""

from typing import ClassVar

from django.db import migrations

REQUEST = "authorisation_authorisationrequest"
FILL = f"""
UPDATE {REQUEST} r SET group_id = a.group_id
  FROM orders_orderrequest q JOIN orders_order o ON o.id = q.order_id JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE r.group_id IS NULL AND r.kind IN ('order_request', 'cancel_review') AND q.id::text = r.subject_id;
UPDATE {REQUEST} r SET group_id = a.group_id
  FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE r.group_id IS NULL AND r.kind = 'suspense' AND o.id::text = r.subject_id;
UPDATE {REQUEST} r SET group_id = a.group_id
  FROM accounts_tradingaccount a
 WHERE r.group_id IS NULL AND r.desk_id IS NOT NULL AND a.code = r.payload ->> 'account'
   AND r.kind IN ('suspense', 'withdrawal', 'cash_booking', 'account_state')
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0022_ticket_record"),
        ("authorisation", "0020_request_group"),
        ("accounts", "0013_canaries_kept"),
    ]

    operations: ClassVar = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
