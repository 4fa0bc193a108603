"""A new rulebook number with every change, rules and restrictions never deleted, and what holds from the start.

Missing marks refuse, so the house begins with a firm mandate for everything and careful marks of conduct.
"""

from decimal import Decimal

from django.db import migrations

from journal.triggers import never_deleted

TABLES = ("risk_rule", "risk_restriction", "risk_mandate", "risk_collar", "risk_conductpolicy")
KEPT = ("risk_rule", "risk_restriction")
NUMBER = (
    """
CREATE SEQUENCE risk_rulebook_number;
CREATE SEQUENCE risk_restriction_number;
CREATE FUNCTION risk_new_rulebook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_rulebook SET version = nextval('risk_rulebook_number');
    RETURN NULL;
END $$;
""",
    "DROP FUNCTION risk_new_rulebook(); DROP SEQUENCE risk_rulebook_number; DROP SEQUENCE risk_restriction_number;",
)
RENEWS = (
    "".join(
        f"CREATE TRIGGER {table}_renews_rulebook AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION risk_new_rulebook();\n"
        for table in TABLES
    ),
    "".join(f"DROP TRIGGER {table}_renews_rulebook ON {table};\n" for table in TABLES),
)
ASKED_FIRST = (
    """
CREATE FUNCTION risk_restriction_asked_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'a restriction is asked for before it is approved' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.list, NEW.subject, NEW.subject_id, NEW.scope, NEW.scope_id, NEW.sides, NEW.source,
        NEW.reason) IS DISTINCT FROM (OLD.list, OLD.subject, OLD.subject_id, OLD.scope, OLD.scope_id, OLD.sides,
        OLD.source, OLD.reason) THEN
        RAISE EXCEPTION 'a restriction keeps what was asked' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_restriction_asked_first BEFORE INSERT OR UPDATE ON risk_restriction
    FOR EACH ROW EXECUTE FUNCTION risk_restriction_asked_first();
""",
    "DROP TRIGGER risk_restriction_asked_first ON risk_restriction; DROP FUNCTION risk_restriction_asked_first();",
)
COLLARS = (("opening_auction", "0.20", "0.40"), ("closing_auction", "0.20", "0.40"))


def begin(apps, schema_editor):
    apps.get_model("risk", "Rulebook").objects.get_or_create(id=1, defaults={"version": 0})
    apps.get_model("risk", "Mandate").objects.get_or_create(
        scope="firm", scope_id="", defaults={"short_allowed": True, "owner": "compliance"}
    )
    collar = apps.get_model("risk", "Collar")
    for phase, warn, hard in COLLARS:
        collar.objects.get_or_create(
            asset_class="", phase=phase, defaults={"warn": Decimal(warn), "hard": Decimal(hard), "owner": "compliance"}
        )
    apps.get_model("risk", "ConductPolicy").objects.get_or_create(
        id=1,
        defaults={
            "duplicate_window_s": 60,
            "self_trade_account": "refuse",
            "self_trade_client": "authorise",
            "self_trade_firm": "pass",
            "volume_warn": Decimal(10),
            "volume_hard": Decimal(100),
            "volume_unknown": "acknowledge",
            "spread_warn": Decimal(5),
            "depth_warn": Decimal(20),
            "book_unknown": "pass",
            "basket_orders": 5000,
            "basket_notional": {"GBP": "50000000", "EUR": "50000000", "USD": "50000000", "AUD": "50000000"},
            "basket_ratio": Decimal(10),
            "owner": "compliance",
        },
    )


def keep(apps, schema_editor):
    """The tables go with the migration before."""


class Migration(migrations.Migration):
    dependencies = [("risk", "0010_rulebook")]

    operations = [
        migrations.RunSQL(*NUMBER),
        migrations.RunSQL(*RENEWS),
        migrations.RunSQL(*ASKED_FIRST),
        *(migrations.RunSQL(*never_deleted(table)) for table in KEPT),
        migrations.RunPython(begin, keep),
    ]
