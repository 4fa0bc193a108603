// <oms-grid>: a virtual grid of recycled rows. Configure with `setup({columns, store, ...})`, feed the store, call `changed()`.
// A column: {name, title, width, num, text(row, at, now), draw(cell, row, at, now), sort, value, hidden}.

const OVERSCAN = 6;
const MARK_MS = 600;

function element(tag, className, role) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (role) made.setAttribute("role", role);
  return made;
}

export class OmsGrid extends HTMLElement {
  setup({ store, columns, memory, label, empty, now, onSelect, onOpen, onOrder, filters = false }) {
    Object.assign(this, { store, label, empty, now, onSelect, onOpen, onOrder, memory });
    this.all = columns;
    this.sort = { name: columns.find((c) => c.first)?.name || columns[0].name, direction: "descending" };
    this.filterText = {};
    this.viewKeep = () => true;
    this.active = null; // key of the row that keys act on
    this.anchor = null;
    this.marked = []; // cells with a change highlight: [cell, until]
    this.slots = [];
    this.remember();
    this.build(filters);
    this.sortBy(this.sort.name, this.sort.direction);
    new ResizeObserver(() => this.changed()).observe(this.viewport);
  }

  remember() {
    const kept = JSON.parse(localStorage.getItem(this.memory) || "null");
    const byName = new Map(this.all.map((column) => [column.name, column]));
    if (kept) {
      for (const { name, width, hidden } of kept.columns) {
        const column = byName.get(name);
        if (column) Object.assign(column, { width, hidden });
      }
      const rank = new Map(kept.columns.map((column, index) => [column.name, index]));
      this.all.sort((a, b) => (a.pin ?? 9) - (b.pin ?? 9) || (rank.get(a.name) ?? 99) - (rank.get(b.name) ?? 99));
      if (byName.has(kept.sort?.name)) this.sort = kept.sort;
    }
    this.columns = this.all.filter((column) => !column.hidden);
  }

  keepMemory() {
    const columns = this.all.map(({ name, width, hidden }) => ({ name, width, hidden: Boolean(hidden) }));
    localStorage.setItem(this.memory, JSON.stringify({ columns, sort: this.sort }));
  }

  build(filters) {
    this.replaceChildren();
    this.viewport = element("div", "viewport", "grid");
    this.viewport.tabIndex = 0;
    this.viewport.setAttribute("aria-label", this.label);
    this.viewport.setAttribute("aria-multiselectable", "true");
    this.head = element("div", "head", "rowgroup");
    this.space = element("div", "space", "rowgroup");
    this.nothing = element("p", "nothing");
    this.nothing.hidden = true;
    this.viewport.append(this.head, this.space);
    this.append(this.viewport, this.nothing);
    this.showFilters = filters;
    this.buildHead();
    this.viewport.addEventListener("scroll", () => this.changed(), { passive: true });
    this.viewport.addEventListener("keydown", (event) => this.keydown(event));
    this.viewport.addEventListener("copy", (event) => this.copy(event));
    this.space.addEventListener("click", (event) => this.clicked(event));
    this.space.addEventListener("dblclick", (event) => this.open(event.target.closest(".row-v")?.dataset.key));
    const hold = () => this.hold();
    for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"]) this.viewport.addEventListener(name, () => requestAnimationFrame(hold));
  }

  buildHead() {
    this.head.replaceChildren();
    const row = element("div", "hrow", "row");
    row.setAttribute("aria-rowindex", "1");
    const filterRow = element("div", "hrow filters", "row");
    this.columns.forEach((column, index) => {
      const cell = element("div", `hcell${column.num ? " num" : ""}${this.pinned(index)}`, "columnheader");
      cell.textContent = column.title;
      cell.setAttribute("aria-colindex", String(index + 1));
      if (!column.title) {
        const name = element("span", "visually-hidden");
        name.textContent = column.label || column.name;
        cell.append(name);
      }
      if (column.name === this.sort.name) cell.setAttribute("aria-sort", this.sort.direction);
      if (column.sort !== false) cell.addEventListener("click", () => this.sortBy(column.name));
      const grip = element("span", "grip");
      grip.addEventListener("pointerdown", (event) => this.resize(event, column));
      grip.addEventListener("click", (event) => event.stopPropagation());
      cell.append(grip);
      row.append(cell);
      const filterCell = element("div", this.pinned(index).trim(), "gridcell");
      if (column.filter !== false) {
        const input = element("input");
        input.value = this.filterText[column.name] || "";
        input.placeholder = "filter";
        input.setAttribute("aria-label", `Filter ${column.title}`);
        input.addEventListener("input", () => this.filter(column.name, input.value));
        filterCell.append(input);
      }
      filterRow.append(filterCell);
    });
    this.head.append(row);
    if (this.showFilters) this.head.append(filterRow);
    this.slots = [];
    this.space.replaceChildren();
    this.measure();
  }

  pinned(index) {
    return index < 2 && this.columns[index].pin !== undefined ? ` pin pin-${index}` : "";
  }

  measure() {
    this.style.setProperty("--cols", this.columns.map((c) => `${c.width}px`).join(" "));
    this.style.setProperty("--total", `${this.columns.reduce((sum, c) => sum + c.width, 0)}px`);
    this.style.setProperty("--pin1", `${this.columns[0].width}px`);
    this.rowHeight = parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row"), 10) || 28;
  }

  resize(event, column) {
    event.preventDefault();
    const from = event.clientX;
    const width = column.width;
    const move = (e) => {
      column.width = Math.max(36, width + e.clientX - from);
      this.measure();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", () => {
      removeEventListener("pointermove", move);
      this.keepMemory();
    }, { once: true });
  }

  // Column panel: show, hide, move, widen without dragging.
  arrange(change) {
    change(this.all);
    this.columns = this.all.filter((column) => !column.hidden);
    this.keepMemory();
    this.buildHead();
    this.changed();
  }

  sortBy(name, direction) {
    const flip = this.sort.name === name && this.sort.direction === "descending" ? "ascending" : "descending";
    this.sort = { name, direction: direction || flip };
    const column = this.all.find((c) => c.name === name);
    this.store.setSort(column.value || name, this.sort.direction, column.num || column.numeric);
    [...this.head.querySelectorAll(".hcell")].forEach((cell, index) => {
      if (this.columns[index].name === name) cell.setAttribute("aria-sort", this.sort.direction);
      else cell.removeAttribute("aria-sort");
    });
    this.keepMemory();
    this.apply();
  }

  filter(name, text) {
    this.filterText[name] = text.trim().toLowerCase();
    this.setView(this.viewKeep);
  }

  setView(keep) {
    this.viewKeep = keep;
    const wanted = Object.entries(this.filterText).filter(([, text]) => text);
    const columns = wanted.map(([name, text]) => [this.all.find((c) => c.name === name), text]);
    this.store.keep = (row) => keep(row) && columns.every(([column, text]) => this.textOf(column, row).toLowerCase().includes(text));
    this.apply();
  }

  textOf(column, row) {
    return String(column.text(row, this.store.at, this.now()));
  }

  hold() {
    const held = this.viewport.matches(":hover") || this.contains(document.activeElement);
    if (held === this.store.held) return;
    this.store.held = held;
    if (!held && this.store.waiting) this.apply();
  }

  apply() {
    this.store.apply();
    this.changed();
  }

  changed() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.paint();
    });
  }

  paint() {
    const { order, rows } = this.store;
    const height = this.rowHeight;
    this.space.style.height = `${order.length * height}px`;
    this.viewport.setAttribute("aria-rowcount", String(order.length + 1));
    this.viewport.setAttribute("aria-colcount", String(this.columns.length));
    const first = Math.max(0, Math.floor(this.viewport.scrollTop / height) - OVERSCAN);
    const room = Math.ceil(this.viewport.clientHeight / height) + 2 * OVERSCAN;
    const last = Math.min(order.length, first + room);
    while (this.slots.length < Math.min(room, Math.max(order.length, this.slots.length))) this.slots.push(this.slot());
    const now = this.now();
    const until = performance.now() + MARK_MS;
    const count = this.slots.length;
    const used = new Set();
    for (let index = first; index < last; index += 1) {
      const slot = this.slots[index % count];
      used.add(slot);
      this.fill(slot, index, order[index], rows.get(order[index]), now, until);
    }
    for (const slot of this.slots) if (!used.has(slot)) slot.box.hidden = true;
    this.store.dirty.clear();
    this.nothing.hidden = order.length > 0;
    if (!order.length) this.nothing.textContent = this.empty();
    if (this.marked.length) this.sweep();
    this.onOrder?.();
  }

  slot() {
    const box = element("div", "row-v", "row");
    const cells = this.columns.map((column, index) => {
      const cell = element("div", `cell${column.num ? " num" : ""}${column.className ? ` ${column.className}` : ""}${this.pinned(index)}`, "gridcell");
      cell.setAttribute("aria-colindex", String(index + 1));
      box.append(cell);
      return cell;
    });
    box.id = `grid-row-${this.slots.length}`;
    this.space.append(box);
    return { box, cells, key: null, shown: [] };
  }

  fill(slot, index, key, row, now, until) {
    const { at } = this.store;
    const { box } = slot;
    const marks = slot.key === key ? this.store.dirty.get(key) : null;
    if (slot.index !== index) {
      slot.index = index;
      box.style.transform = `translateY(${index * this.rowHeight}px)`;
      box.setAttribute("aria-rowindex", String(index + 2));
    }
    if (slot.key !== key) {
      slot.key = key;
      box.dataset.key = key;
    }
    box.hidden = false;
    const selected = this.store.marks.has(key);
    box.classList.toggle("sel", selected);
    box.setAttribute("aria-selected", String(selected));
    box.classList.toggle("active", key === this.active);
    box.classList.toggle("gone", !this.store.keep(row));
    if (key === this.active) this.viewport.setAttribute("aria-activedescendant", box.id);
    this.columns.forEach((column, i) => {
      const text = column.text(row, at, now);
      if (slot.shown[i] === text) return;
      slot.shown[i] = text;
      const cell = slot.cells[i];
      if (column.draw) column.draw(cell, row, at, now, text);
      else cell.textContent = text;
      if (marks && column.mark !== false) {
        cell.classList.add("chg");
        this.marked.push([cell, until]);
      } else cell.classList.remove("chg");
    });
  }

  sweep() {
    clearTimeout(this.sweeper);
    const now = performance.now();
    this.marked = this.marked.filter(([cell, until]) => {
      if (until > now) return true;
      cell.classList.remove("chg");
      return false;
    });
    if (this.marked.length) this.sweeper = setTimeout(() => this.sweep(), 100);
  }

  clicked(event) {
    const box = event.target.closest(".row-v");
    if (!box || event.target.closest("a")) return;
    const key = box.dataset.key;
    if (event.shiftKey) this.range(key);
    else if (event.ctrlKey || event.metaKey || event.target.closest(".check")) this.toggle(key);
    else {
      this.store.marks.clear();
      this.store.marks.add(key);
      this.anchor = key;
    }
    this.activate(key, false);
    this.onSelect?.();
  }

  toggle(key) {
    if (!this.store.marks.delete(key)) this.store.marks.add(key);
    this.anchor = key;
  }

  range(key) {
    const from = Math.max(0, this.store.order.indexOf(this.anchor ?? key));
    const to = this.store.order.indexOf(key);
    for (let i = Math.min(from, to); i <= Math.max(from, to); i += 1) this.store.marks.add(this.store.order[i]);
  }

  activate(key, scroll = true) {
    this.active = key;
    const index = this.store.order.indexOf(key);
    if (scroll && index >= 0) {
      const top = index * this.rowHeight;
      const room = this.viewport.clientHeight - this.head.offsetHeight;
      if (top < this.viewport.scrollTop) this.viewport.scrollTop = top;
      else if (top + this.rowHeight > this.viewport.scrollTop + room) this.viewport.scrollTop = top + this.rowHeight - room;
    }
    this.changed();
  }

  open(key) {
    const row = key && this.store.rows.get(key);
    if (row) this.onOpen?.(row);
  }

  keydown(event) {
    if (event.target.closest("input")) return;
    const { order } = this.store;
    const page = Math.max(1, Math.floor(this.viewport.clientHeight / this.rowHeight) - 2);
    const moves = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -order.length, End: order.length };
    if (event.key in moves && !event.ctrlKey && order.length) {
      event.preventDefault();
      const at = order.indexOf(this.active);
      const next = order[Math.min(order.length - 1, Math.max(0, (at < 0 ? (moves[event.key] > 0 ? -1 : 0) : at) + moves[event.key]))];
      if (event.shiftKey) {
        this.anchor ??= this.active ?? next;
        this.range(next);
        this.onSelect?.();
      }
      this.activate(next);
    } else if (event.key === " " && this.active) {
      event.preventDefault();
      this.toggle(this.active);
      this.changed();
      this.onSelect?.();
    } else if ((event.key === "Enter" || event.key === "o") && this.active && !event.ctrlKey) {
      event.preventDefault();
      this.open(this.active);
    } else if (event.key === "Escape" && this.store.marks.size) {
      this.store.marks.clear();
      this.changed();
      this.onSelect?.();
    }
  }

  copy(event) {
    const rows = this.store.selected();
    if (!rows.length) return;
    const columns = this.columns.filter((column) => column.filter !== false || column.title);
    const lines = [columns.map((c) => c.title), ...rows.map((row) => columns.map((c) => this.textOf(c, row)))];
    event.clipboardData.setData("text/plain", lines.map((line) => line.join("\t")).join("\n"));
    event.preventDefault();
  }
}

customElements.define("oms-grid", OmsGrid);
