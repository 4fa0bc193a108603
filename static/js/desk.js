// The blotter: the grid over the desk's rows, its views, the selection bar and the ticket drawer.
import { hub } from "./hub.js";
import { GridStore } from "./grid_store.js";
import "./grid.js";
import { age, clock, grouped, moment, zoneName } from "./format.js";
import { columnPanel } from "./grid_columns.js";
import { toast } from "./toasts.js";

const page = document.getElementById("desk");
const grid = document.querySelector("oms-grid");
const me = Number(page.dataset.me);
const store = new GridStore({ key: "id", version: "seq" });

function glyph(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#g-${name}`);
  svg.append(use);
  return svg;
}

function box(tag, className, ...parts) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...parts);
  return made;
}

const sideOf = (word) => (word === "BUY" ? "buy" : "sell");
const sideGlyph = (word) => (word === "BUY" ? "buy" : word === "SELL" ? "sell" : "short");
const share = (row, at) => {
  const qty = Number(row[at.qty]);
  return qty ? Math.min(100, Math.floor((100 * Number(row[at.cum])) / qty)) : 0;
};
const plain = (name, title, width, more = {}) => ({ name, title, width, text: (row, at) => row[at[name]] || "—", ...more });
const number = (name, title, width, places = 0, more = {}) => ({ name, title, width, num: true, text: (row, at) => grouped(row[at[name]], places), ...more });

const COLUMNS = [
  {
    name: "select", title: "", label: "Select", width: 34, pin: 0, sort: false, filter: false, className: "check",
    text: () => "", draw: (cell) => cell.replaceChildren(box("i", "", glyph("pass"))), mark: false,
  },
  {
    name: "ref", title: "Order", width: 118, pin: 1, text: (row, at) => row[at.ref],
    draw: (cell, row, at) => {
      const link = box("a", "mono", row[at.ref]);
      link.href = `/o/${row[at.ref]}`;
      link.tabIndex = -1;
      cell.replaceChildren(link);
    },
  },
  { name: "at", title: "Time", width: 104, first: true, numeric: true, className: "mono", text: (row, at, now) => moment(row[at.at], now) },
  plain("account", "Account", 72),
  plain("symbol", "Instrument", 84, { className: "strong" }),
  {
    name: "side", title: "Side", width: 70, text: (row, at) => row[at.side],
    draw: (cell, row, at, now, text) => cell.replaceChildren(box("span", `side ${sideOf(text)}`, glyph(sideGlyph(text)), text)),
  },
  number("qty", "Qty", 72),
  { ...number("price", "Limit", 82), text: (row, at) => grouped(row[at.price], row[at.price] === null ? 0 : 2) },
  plain("type", "Type", 48),
  plain("tif", "TIF", 48),
  { ...number("cum", "Filled", 70), text: (row, at) => grouped(row[at.cum]) },
  number("leaves", "Leaves", 70),
  {
    name: "done", title: "Done", width: 94, value: "cum", numeric: true, filter: false, text: (row, at) => `${share(row, at)}%`,
    draw: (cell, row, at, now, text) => {
      if (!cell.bar) {
        cell.bar = box("b");
        cell.word = box("span");
        cell.replaceChildren(box("span", "done-bar", cell.bar), cell.word);
      }
      cell.bar.style.width = text;
      cell.word.textContent = text;
    },
  },
  { ...number("avg", "Avg px", 88), text: (row, at) => (row[at.avg] === null ? "—" : grouped(rounded(row[at.avg]), 4)) },
  {
    name: "status", title: "Status", width: 144, text: (row, at) => row[at.status],
    draw: (cell, row, at, now, text) => cell.replaceChildren(box("span", `st ${row[at.family]}`, glyph(row[at.state]), text)),
  },
  plain("venue", "Venue", 58),
  plain("owner", "Owner", 76),
  { name: "age", title: "Age", width: 74, num: true, value: "at", mark: false, filter: false, text: (row, at, now) => age((row[at.open] ? now : row[at.updated]) - row[at.at]) },
  plain("desk", "Desk", 60, { hidden: true }),
  number("stop", "Stop", 80, 2, { hidden: true }),
  plain("unit", "Unit", 50, { hidden: true }),
  plain("currency", "Ccy", 50, { hidden: true }),
  plain("cl_ord_id", "ClOrdID", 150, { hidden: true, className: "mono" }),
  plain("venue_order_id", "Venue id", 130, { hidden: true, className: "mono" }),
  plain("client_ref", "Client ref", 110, { hidden: true }),
  plain("source", "Source", 70, { hidden: true }),
  plain("attention", "Attention", 160, { hidden: true }),
  { name: "updated", title: "Last change", width: 104, hidden: true, numeric: true, className: "mono", text: (row, at, now) => moment(row[at.updated], now) },
];

function rounded(text) {
  const [whole, fraction = ""] = text.split(".");
  if (fraction.length <= 4) return text;
  const scaled = BigInt(whole + fraction.slice(0, 4)) + (fraction[4] >= "5" ? 1n : 0n);
  const digits = String(scaled).padStart(5, "0");
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

const abnormal = (row, at, now) =>
  row[at.attention] !== "" || row[at.family] === "unknown" ||
  (row[at.family] === "refused" && now - row[at.updated] < 3600e3) ||
  (row[at.open] && row[at.state] === "sent" && now - row[at.updated] > 30e3);
const VIEWS = {
  mine: (row, at) => row[at.open] && row[at.owner_id] === me,
  all: () => true,
  attention: (row, at) => abnormal(row, at, hub.serverNow()),
  filled: (row, at) => row[at.filled] === 1,
};
const WHY_EMPTY = {
  mine: "You have no working orders. Press b to buy or s to sell, or look at Desk all.",
  all: "No orders yet today. Press b to buy or s to sell.",
  attention: "Nothing needs attention: no unknown order, no refusal in the last hour, nothing sent and unanswered for 30 s.",
  filled: "Nothing has been filled yet today.",
};

let view = new URLSearchParams(location.search).get("view") || page.dataset.view;
if (!(view in VIEWS)) view = "mine";

function showView(name, remember = true) {
  view = name;
  for (const chip of document.querySelectorAll("[data-view-name]")) chip.setAttribute("aria-pressed", String(chip.dataset.viewName === name));
  if (remember) history.replaceState(null, "", `?view=${name}`);
  grid.setView((row) => VIEWS[name](row, store.at));
}

const chipCounts = document.querySelectorAll("[data-view-count]");
function showCounts() {
  for (const count of chipCounts) {
    const text = grouped(String(store.count((row) => VIEWS[count.dataset.viewCount](row, store.at))));
    if (count.textContent !== text) count.textContent = text;
  }
  const totals = new Map();
  const { at } = store;
  let refused = 0;
  for (const row of store.rows.values()) {
    if (row[at.family] === "refused") refused += 1;
    if (!row[at.open] || row[at.price] === null) continue;
    const value = (Number(row[at.leaves]) * Number(row[at.price])) / row[at.divisor];
    totals.set(row[at.currency], (totals.get(row[at.currency]) || 0) + value);
  }
  document.getElementById("foot-rows").textContent = grouped(String(store.order.length));
  document.getElementById("foot-rejects").textContent = grouped(String(refused));
  document.getElementById("foot-value").textContent = [...totals].sort().map(([currency, sum]) => `${short(sum)} ${currency}`).join(" · ") || "—";
}

function short(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}m`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)}k`;
  return value.toFixed(0);
}

const orderChip = document.getElementById("order-changed");
const freezeWaiting = document.getElementById("freeze-waiting");
function showHeld() {
  orderChip.hidden = store.waiting === 0;
  const text = `Order changed, apply (${store.waiting})`;
  if (!orderChip.hidden && orderChip.firstChild.textContent !== text) orderChip.firstChild.textContent = text;
  freezeWaiting.textContent = String(store.frozenRows.size);
}

const selection = document.getElementById("selection");
const REASON = { amend: document.getElementById("why-amend"), cancel: document.getElementById("why-cancel") };
function setControl(name, reason) {
  const control = document.querySelector(`[data-key="${name}"]`);
  if (reason) control.setAttribute("aria-disabled", "true");
  else control.removeAttribute("aria-disabled");
  control.dataset.why = reason;
  delete control.dataset.wasDisabled;
  REASON[name].textContent = reason;
}

function chosen() {
  const rows = store.selected();
  const active = grid.active && store.rows.get(grid.active);
  return rows.length || !active ? rows : [active];
}

function showSelection() {
  const rows = store.selected();
  const { at } = store;
  const open = rows.filter((row) => row[at.open]);
  const sum = new Map();
  for (const row of rows) if (row[at.price] !== null) sum.set(row[at.currency], (sum.get(row[at.currency]) || 0) + (Number(row[at.qty]) * Number(row[at.price])) / row[at.divisor]);
  const gross = [...sum].map(([currency, value]) => `${short(value)} ${currency}`).join(" · ");
  const buys = rows.filter((row) => row[at.side] === "BUY").length;
  selection.textContent = rows.length === 0 ? "None selected"
    : rows.length === 1 ? `1 selected · ${rows[0][at.symbol]} · ${rows[0][at.side]} ${grouped(rows[0][at.qty])} · ${gross || "no limit"}`
      : `${rows.length} selected · BUY ${buys} / SELL ${rows.length - buys} · gross ${gross || "—"}`;
  setControl("amend", rows.length !== 1 ? "Select one working order to amend." : open.length ? "" : `${rows[0][at.ref]} is not working: ${rows[0][at.status]}.`);
  setControl("cancel", rows.length === 0 ? "Select working orders to cancel." : open.length ? "" : "None of the selected orders is working.");
}

// Ticket and other drawers: a server-drawn form beside the grid.
const drawer = document.getElementById("drawer");
function openDrawer(url) {
  drawer.hidden = false;
  window.htmx.ajax("GET", url, { target: "#drawer", swap: "innerHTML" });
}
function closeDrawer() {
  drawer.hidden = true;
  drawer.replaceChildren();
  grid.viewport.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !drawer.hidden && !event.target.closest("dialog, [role=listbox]") && !document.querySelector("[data-suggest]:not([hidden])")) closeDrawer();
});
page.addEventListener("click", (event) => {
  const control = event.target.closest("[data-key], [data-view-name], [data-drawer-close]");
  if (!control || control.getAttribute("aria-disabled") === "true") return;
  if (control.dataset.viewName) showView(control.dataset.viewName);
  if (control.dataset.drawerClose !== undefined) closeDrawer();
  const { at } = store;
  switch (control.dataset.key) {
    case "buy": openDrawer("/o/new?side=1&part=1"); break;
    case "sell": openDrawer("/o/new?side=2&part=1"); break;
    case "amend": if (chosen()[0]) openDrawer(`/o/${chosen()[0][at.ref]}/amend?part=1`); break;
    case "cancel": {
      const refs = chosen().filter((row) => row[at.open]).map((row) => row[at.ref]);
      if (refs.length) openDrawer(`/o/cancel?part=1&refs=${refs.join(",")}`);
      break;
    }
    case "freeze":
      store.setFrozen(!store.frozen);
      control.setAttribute("aria-pressed", String(store.frozen));
      grid.changed();
      break;
    case "apply": grid.apply(); break;
    default: break;
  }
});

// Figures: a snapshot, then changes; a gap anywhere means the snapshot again.
let loading = null;
async function snapshot(why = "") {
  if (loading) return loading;
  loading = (async () => {
    const response = await fetch("/desk/rows.json", { headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(`rows ${response.status}`);
    const data = await response.json();
    const waiting = early.splice(0);
    store.load(data.columns, data.rows);
    for (const rows of waiting) store.merge(rows);
    grid.sortBy(grid.sort.name, grid.sort.direction);
    showCounts();
    if (why) document.getElementById("foot-sync").textContent = `resynced ${clock(hub.serverNow())} ${zoneName(Date.now())}`;
  })().finally(() => {
    loading = null;
  });
  return loading.catch(() => toast("The desk's rows could not be loaded; trying again."));
}

const early = [];
let changes = 0;
let rejects = 0;
hub.on("rows", (message) => {
  if (loading || !store.columns.length) early.push(message.rows);
  if (!store.columns.length) return;
  const { at } = store;
  for (const row of message.rows) if (row[at.family] === "refused" && store.rows.get(row[at.id])?.[at.family] !== "refused") rejects += 1;
  changes += store.merge(message.rows);
  grid.changed();
});
document.body.addEventListener("oms:resync", () => snapshot("resync"));

setInterval(() => {
  if (!store.frozen) grid.changed(); // ages move on
  showCounts();
}, 1000);
setInterval(() => {
  if (changes) document.getElementById("polite").textContent = `${changes} updates, ${rejects} rejects`;
  changes = rejects = 0;
}, 10000);
setInterval(() => {
  if (!hub.live && hub.state === "stale") snapshot("poll");
}, 5000);

grid.setup({
  store, columns: COLUMNS, memory: `oms-desk-${me}`, label: "Orders", now: () => hub.serverNow(),
  empty: () => (store.columns.length ? WHY_EMPTY[view] : "Loading the desk's orders …"),
  onSelect: showSelection,
  onOpen: (row) => location.assign(`/o/${row[store.at.ref]}`),
  onOrder: showHeld,
});

// An export has the view and the header filters of now: its links are made when the menu opens.
const exportMenu = document.querySelector("[data-export]");
exportMenu.closest("details").addEventListener("toggle", () => {
  const asked = new URLSearchParams({ view });
  for (const [name, text] of Object.entries(grid.filterText)) if (text) asked.set(`f.${name}`, text);
  for (const link of exportMenu.querySelectorAll("a")) {
    asked.set("form", new URL(link.href).searchParams.get("form"));
    link.href = `/desk/export?${asked}`;
  }
});
columnPanel(grid, document.getElementById("columns"));
document.getElementById("filters-toggle").addEventListener("click", (event) => {
  grid.showFilters = !grid.showFilters;
  event.currentTarget.setAttribute("aria-pressed", String(grid.showFilters));
  grid.buildHead();
  grid.changed();
});
showView(view, false);
showSelection();
snapshot();
if (new URLSearchParams(location.search).has("ticket")) openDrawer(`/o/new?side=1&part=1`);
grid.viewport.focus({ preventScroll: true });
