"""Order numbers, the pairs a request's state may move along, and no deletion of what happened."""

from django.db import migrations

PAIRS = [
    "captured:refused",
    "captured:pending_authorisation",
    "captured:released",
    "pending_authorisation:released",
    "pending_authorisation:refused",
    "pending_authorisation:declined",
    "pending_authorisation:lapsed",
    "pending_authorisation:withdrawn",
    "released:handed_over",
    "released:refused",
    "released:withdrawn",
    "released:accepted",
    "handed_over:accepted",
    "handed_over:rejected",
    "handed_over:unknown",
    "unknown:accepted",
    "unknown:rejected",
    "unknown:refused",
    "accepted:rejected",
    "rejected:accepted",
]

FORWARDS = f"""
CREATE SEQUENCE IF NOT EXISTS orders_ref_seq;

CREATE FUNCTION orders_guard_request_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state
       AND NOT (OLD.state || ':' || NEW.state = ANY (ARRAY[{", ".join(f"'{pair}'" for pair in PAIRS)}])) THEN
        RAISE EXCEPTION 'a request cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER orders_request_state BEFORE UPDATE OF state ON orders_orderrequest
    FOR EACH ROW EXECUTE FUNCTION orders_guard_request_state();

CREATE FUNCTION orders_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what happened: nothing is deleted from it', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER orders_order_keep BEFORE DELETE ON orders_order
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_delete();
CREATE TRIGGER orders_request_keep BEFORE DELETE ON orders_orderrequest
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_delete();
CREATE TRIGGER orders_execution_keep BEFORE DELETE ON orders_execution
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_delete();
"""

BACKWARDS = """
DROP TRIGGER orders_execution_keep ON orders_execution;
DROP TRIGGER orders_request_keep ON orders_orderrequest;
DROP TRIGGER orders_order_keep ON orders_order;
DROP FUNCTION orders_refuse_delete();
DROP TRIGGER orders_request_state ON orders_orderrequest;
DROP FUNCTION orders_guard_request_state();
DROP SEQUENCE orders_ref_seq;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
