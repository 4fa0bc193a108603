"""Lines that are not the whole block, to the minor unit, cannot be committed: no road past the services leads there.

What the lines of a block that stand add up to is kept on the block by statement: ten thousand lines written at once are one sum. At
commit a booked block is all of its units and all of its money, a dissolved one nothing.
"""

from typing import ClassVar

from django.db import migrations

_COUNTED = """
SELECT r.block_id, {sign} sum(CASE WHEN r.state = 'reversed' THEN 0 WHEN r.side = b.side THEN r.qty ELSE -r.qty END) AS qty,
       {sign} sum(CASE WHEN r.state = 'reversed' THEN 0 ELSE r.gross END) AS cash
  FROM {rows} r JOIN allocations_block b ON b.id = r.block_id GROUP BY r.block_id
"""
_FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE allocations_block t SET allocated_qty = t.allocated_qty + d.qty, allocated_cash = t.allocated_cash + d.cash
      FROM (SELECT block_id, sum(qty) AS qty, sum(cash) AS cash FROM ({changes}) c GROUP BY block_id) d
     WHERE t.id = d.block_id AND (d.qty, d.cash) <> (0, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {operation} ON allocations_allocation
REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()
"""
_DROP = "DROP TRIGGER {name} ON allocations_allocation; DROP FUNCTION {name}()"
_INSERTED = {
    "name": "allocations_allocation_added_up",
    "operation": "INSERT",
    "tables": "NEW TABLE AS added",
    "changes": _COUNTED.format(sign="", rows="added"),
}
_UPDATED = {
    "name": "allocations_allocation_added_up_anew",
    "operation": "UPDATE",
    "tables": "OLD TABLE AS before NEW TABLE AS after",
    "changes": _COUNTED.format(sign="-", rows="before") + "UNION ALL" + _COUNTED.format(sign="", rows="after"),
}
_WHOLE = """
CREATE FUNCTION allocations_block_is_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept allocations_block;
BEGIN
    SELECT * INTO kept FROM allocations_block WHERE id = NEW.id;
    IF kept.state = 'booked' AND (kept.allocated_qty, kept.allocated_cash) <> (kept.qty, kept.cash)
       OR kept.state = 'dissolved' AND (kept.allocated_qty, kept.allocated_cash) <> (0, kept.cash) THEN
        RAISE EXCEPTION 'block % is % units and % of money; its lines are % and %', kept.number, kept.qty, kept.cash,
              kept.allocated_qty, kept.allocated_cash USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER allocations_block_is_its_lines AFTER INSERT OR UPDATE ON allocations_block
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state IN ('booked', 'dissolved'))
EXECUTE FUNCTION allocations_block_is_its_lines()
"""
_NOT_WHOLE = (
    "DROP TRIGGER allocations_block_is_its_lines ON allocations_block; DROP FUNCTION allocations_block_is_its_lines()"
)
# Blocks of before: what stands of them, once.
_FILL = """
UPDATE allocations_block t SET allocated_qty = d.qty, allocated_cash = d.cash
  FROM (SELECT a.block_id, sum(CASE WHEN a.side = b.side THEN a.qty ELSE -a.qty END) AS qty, sum(a.gross) AS cash
          FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id
         WHERE a.state <> 'reversed' GROUP BY a.block_id) d
 WHERE t.id = d.block_id
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0008_lines_are_the_block")]

    operations: ClassVar = [
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        *(migrations.RunSQL(_FUNCTION.format(**one), _DROP.format(**one)) for one in (_INSERTED, _UPDATED)),
        migrations.RunSQL(_WHOLE, _NOT_WHOLE),
    ]
