"""Count the orders that were open before usage was: at their leaves, as their next change would count them.

Values are taken in the order's own currency at the rate one for the counting currency, else at none, as for an order that
no fresh rate could count. An open replace of such an order counts with the order's next change.
"""

from django.db import migrations

FORWARDS = """
INSERT INTO risk_orderusage (order_id, desk_id, dealer_id, client_id, account_id, instrument_id, mic, strategy, is_buy, currency,
                             rate, open_orders, open_qty, open_value)
SELECT o.id, o.desk_id, o.owner_id, a.client_id, o.account_id, (o.instrument_snapshot ->> 'instrument_id')::uuid,
       o.instrument_snapshot ->> 'mic', o.strategy, o.side = '1', o.instrument_snapshot ->> 'currency',
       CASE WHEN o.instrument_snapshot ->> 'currency' = 'GBP' THEN 1 ELSE 0 END, CASE WHEN o.is_open THEN 1 ELSE 0 END,
       CASE WHEN o.is_open THEN o.leaves_qty ELSE 0 END,
       CASE WHEN o.is_open THEN
            round(o.leaves_qty * coalesce(o.price, greatest(o.stop_px, (o.instrument_snapshot ->> 'reference_price')::numeric), 0)
                  / (o.instrument_snapshot ->> 'price_divisor')::numeric, 2) ELSE 0 END
  FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE o.is_open OR o.cum_qty > 0
    ON CONFLICT (order_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0012_kill_sweeps_kept"),
        ("risk", "0005_limit_usage"),
        ("accounts", "0001_initial"),
    ]

    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
