"""``orders_peers``: an order's twins and the open orders it would trade with, as JSON ``[twins, opposites]``, else NULL.

It is volatile on purpose: each of its statements takes a snapshot of its own, so behind the lock on the account's money it
sees what the transaction that held the lock has written, which the statement that calls it does not. ``alone`` says that
nothing could be locked (an account without cash in the currency and without the stock): then it locks the account's name.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION orders_peers(
    account uuid, client uuid, listing uuid, asked_side text, asked_type text, qty numeric, px numeric,
    at timestamptz, but uuid, alone boolean
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    policy record;
    twins json;
    opposites json;
    others text[];
BEGIN
    IF account IS NULL OR listing IS NULL THEN
        RETURN NULL;
    END IF;
    IF alone THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('orders-peers:' || account::text, 0));
    END IF;
    SELECT duplicate_window_s AS seconds, self_trade_account <> 'pass' AS of_account, self_trade_client <> 'pass' AS of_client,
           self_trade_firm <> 'pass' AS of_firm
      INTO policy FROM risk_conductpolicy;
    IF qty IS NOT NULL AND policy.seconds > 0 THEN
        SELECT json_agg(json_build_array(t.ref, t.entered_at, t.request_state)) INTO twins FROM (
            SELECT o.ref, o.entered_at, o.request_state FROM orders_order o
             WHERE o.account_id = account AND o.listing_id = listing
               AND o.entered_at > at - make_interval(secs => policy.seconds)
               AND o.side = asked_side AND o.order_qty = qty AND o.price IS NOT DISTINCT FROM px
               AND o.ord_type = asked_type
               AND o.request_state NOT IN ('refused', 'declined', 'lapsed', 'withdrawn')
               AND o.id IS DISTINCT FROM but
             ORDER BY o.entered_at DESC LIMIT 5) t;
    END IF;
    IF asked_type IN ('1', '2') AND (policy.of_account OR policy.of_client OR policy.of_firm) THEN
        others := CASE WHEN asked_side = '1' THEN ARRAY['2', '5', '6'] ELSE ARRAY['1'] END;
        SELECT json_agg(json_build_array(f.ref, f.nearness, f.price::text, f.leaves_qty::text)) INTO opposites FROM (
            SELECT o.ref, o.price, o.leaves_qty,
                   CASE WHEN o.account_id = account THEN 'account' WHEN a.client_id = client THEN 'client' ELSE 'firm' END
                       AS nearness
              FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
             WHERE o.is_open AND o.listing_id = listing AND o.side = ANY (others) AND o.leaves_qty > 0
               AND (o.ord_type = '1' AND o.price IS NULL OR o.ord_type = '2' AND (px IS NULL
                    OR asked_side = '1' AND o.price <= px OR asked_side <> '1' AND o.price >= px))
               AND (policy.of_firm OR a.client_id = client AND (policy.of_client OR o.account_id = account))
               AND o.id IS DISTINCT FROM but
             ORDER BY (o.account_id <> account), (a.client_id <> client), o.id LIMIT 5) f;
    END IF;
    IF twins IS NULL AND opposites IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN json_build_array(twins, opposites)::text;
END $$
"""
BACKWARDS = """
DROP FUNCTION orders_peers(uuid, uuid, uuid, text, text, numeric, numeric, timestamptz, uuid, boolean)
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0015_peers"), ("risk", "0011_rulebook_guards")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
