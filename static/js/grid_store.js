// Rows by key, and the order they are shown in. A row is the list the server sent; `at` names its values.
// While the order is held, known rows change in place, rows that came or went wait for apply().

export class GridStore {
  constructor({ key, version }) {
    this.keyName = key;
    this.versionName = version;
    this.columns = [];
    this.at = {};
    this.rows = new Map();
    this.order = []; // keys as shown
    this.keep = () => true; // view and header filters together
    this.compare = null;
    this.held = false;
    this.frozen = false;
    this.frozenRows = new Map();
    this.waiting = 0; // keys whose place would change on apply()
    this.dirty = new Map(); // key -> set of changed column indexes, since the last paint
    this.marks = new Set(); // selected keys
  }

  setColumns(names) {
    this.columns = names;
    this.at = Object.fromEntries(names.map((name, index) => [name, index]));
  }

  load(names, rows) {
    this.setColumns(names);
    const key = this.at[this.keyName];
    const version = this.at[this.versionName];
    const fresh = new Map();
    for (const row of rows) {
      const held = this.rows.get(row[key]);
      fresh.set(row[key], held && held[version] > row[version] ? held : row);
    }
    this.rows = fresh;
    for (const mark of this.marks) if (!fresh.has(mark)) this.marks.delete(mark);
    this.apply();
  }

  // Rows as the stream sent them; older versions than the one held are dropped. Returns how many changed.
  merge(rows) {
    const key = this.at[this.keyName];
    const version = this.at[this.versionName];
    if (key === undefined) return 0;
    let changed = 0;
    for (const row of rows) {
      const id = row[key];
      if (this.frozen) {
        this.frozenRows.set(id, row);
        continue;
      }
      const before = this.rows.get(id);
      if (before && before[version] >= row[version]) continue;
      this.rows.set(id, row);
      changed += 1;
      if (before) this.note(id, before, row);
      else this.waiting += this.keep(row) ? 1 : 0;
    }
    if (!this.held && changed) this.apply();
    return changed;
  }

  note(id, before, row) {
    let marks = this.dirty.get(id);
    if (!marks) this.dirty.set(id, (marks = new Set()));
    for (let index = 0; index < row.length; index += 1) if (row[index] !== before[index]) marks.add(index);
    const moved = this.keep(row) !== this.keep(before) || (this.compare && this.compare(row, before) !== 0);
    if (moved) this.waiting += 1;
  }

  setFrozen(on) {
    this.frozen = on;
    if (on) return;
    const rows = [...this.frozenRows.values()];
    this.frozenRows.clear();
    this.merge(rows);
  }

  setSort(name, direction, numeric) {
    const index = this.at[name];
    if (index === undefined) {
      this.compare = null;
      return;
    }
    const sign = direction === "descending" ? -1 : 1;
    const key = this.at[this.keyName];
    const value = numeric ? (row) => (row[index] === null ? -Infinity : Number(row[index])) : (row) => row[index] ?? "";
    this.compare = (a, b) => {
      const x = value(a);
      const y = value(b);
      if (x < y) return -sign;
      if (x > y) return sign;
      return a[key] < b[key] ? sign : a[key] > b[key] ? -sign : 0;
    };
  }

  apply() {
    const shown = [];
    for (const row of this.rows.values()) if (this.keep(row)) shown.push(row);
    if (this.compare) shown.sort(this.compare);
    const key = this.at[this.keyName];
    this.order = shown.map((row) => row[key]);
    this.waiting = 0;
  }

  count(keep) {
    let n = 0;
    for (const row of this.rows.values()) if (keep(row)) n += 1;
    return n;
  }

  selected() {
    return this.order.filter((id) => this.marks.has(id)).map((id) => this.rows.get(id));
  }
}
