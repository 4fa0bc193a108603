"""An order's status and quantities are what its facts amount to, whoever writes them.

``Order.facts`` keeps the state the venue's words amount to (``orders.domain.facts``). The function says again in SQL what
``orders.domain.derive`` says in Python; the trigger refuses a row in which they differ. A function and no constraint,
because what was checked by an older rule stays as it is. Done for day and Calculated depend on the day: with the
mark both the mark's name and what is below it hold for an order that outlives the day. An order closed here without
ever having been sent has nothing left whatever stray words name it.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION orders_derived_status(s jsonb, cum numeric, qty numeric) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN s ? 'pending' AND jsonb_path_exists(s, '$.pending[*][1] ? (@ == "6")') THEN '6'
        WHEN s ? 'pending' AND jsonb_path_exists(s, '$.pending[*][1] ? (@ == "E")') THEN 'E'
        WHEN cum >= qty AND cum > 0 THEN '2'
        WHEN s ? 'stopped' THEN '7'
        WHEN s ? 'suspended' THEN '9'
        WHEN s ? 'ended' THEN s ->> 'ended'
        WHEN cum > 0 THEN '1'
        WHEN s ? 'rejected' OR (s ? 'denied' AND NOT s ?| ARRAY['acknowledged', 'heard']) THEN '8'
        WHEN s ? 'acknowledged' THEN s ->> 'acknowledged'
        WHEN s ? 'heard' THEN 'A'
    END
$$;

CREATE FUNCTION orders_derived_leaves(s jsonb, cum numeric, qty numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN qty IS NULL OR s ? 'ended' THEN 0
        WHEN cum = 0 AND (s ? 'rejected' OR (s ? 'denied' AND NOT s ?| ARRAY['acknowledged', 'heard'])) THEN 0
        WHEN s ?| ARRAY['done_on', 'calculated_on'] AND coalesce(s ->> 'time_in_force', '0') NOT IN ('1', '6') THEN 0
        ELSE greatest(qty - cum, 0)
    END
$$;

CREATE FUNCTION orders_figures_follow_facts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    s CONSTANT jsonb := NEW.facts -> 'state';
    cum CONSTANT numeric := coalesce((s ->> 'cum_qty')::numeric, 0);
    qty CONSTANT numeric := (s ->> 'order_qty')::numeric;
    named text;
    marked boolean;
BEGIN
    IF NEW.facts ->> 'v' IS DISTINCT FROM '2' THEN
        RETURN NEW;
    END IF;
    IF s IS NULL THEN
        IF NEW.ord_status IS NOT NULL OR NEW.cum_qty <> 0 THEN
            RAISE EXCEPTION 'order %: the venue has said nothing of it', NEW.ref USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.cum_qty <> round(cum, 8) THEN
        RAISE EXCEPTION 'order %: % executed, its facts say %', NEW.ref, NEW.cum_qty, cum USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.leaves_qty <> round(orders_derived_leaves(s, cum, qty), 8) AND NOT (
           NEW.leaves_qty = 0 AND NOT NEW.is_open
           AND NEW.request_state NOT IN ('handed_over', 'unknown', 'accepted', 'rejected')) THEN
        RAISE EXCEPTION 'order %: % left, its facts say %', NEW.ref, NEW.leaves_qty, orders_derived_leaves(s, cum, qty)
            USING ERRCODE = 'check_violation';
    END IF;
    named := orders_derived_status(s, cum, qty);
    IF s ?| ARRAY['done_on', 'calculated_on'] AND named IS DISTINCT FROM '6' AND named IS DISTINCT FROM 'E' THEN
        marked := (NEW.ord_status = '3' AND s ? 'done_on') OR (NEW.ord_status = 'B' AND s ? 'calculated_on')
            OR (NEW.ord_status IS NOT DISTINCT FROM named AND coalesce(s ->> 'time_in_force', '0') IN ('1', '6'));
    ELSE
        marked := NEW.ord_status IS NOT DISTINCT FROM named;
    END IF;
    IF NOT coalesce(marked, false) THEN
        RAISE EXCEPTION 'order %: status %, its facts say %', NEW.ref, NEW.ord_status, named USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER orders_order_figures BEFORE INSERT OR UPDATE OF facts, ord_status, cum_qty, leaves_qty ON orders_order
    FOR EACH ROW EXECUTE FUNCTION orders_figures_follow_facts();
"""

BACKWARD = """
DROP TRIGGER orders_order_figures ON orders_order;
DROP FUNCTION orders_figures_follow_facts();
DROP FUNCTION orders_derived_leaves(jsonb, numeric, numeric);
DROP FUNCTION orders_derived_status(jsonb, numeric, numeric);
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_replaced_once")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
