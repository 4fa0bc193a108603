// Keys: letters act only while no field has the focus, and can be switched off in preferences.
// The palette lists the pages that answer for this person, each with its letter after g.
const pageFor = (letter) => document.querySelector(`#palette a[data-letter="${CSS.escape(letter)}"]`);
export const typing = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");

let waitingForPage = 0;

// A button, a link or a box beside the list has an Enter of its own: it does not open the row that is marked.
const ownEnter = (target, list) => target.closest("a, button, summary, input") && !list.contains(target);

function listKeys(event) {
  const list = document.querySelector("[data-list]");
  if (!list) return false;
  const rows = [...list.querySelectorAll("tbody tr[data-href]")];
  let at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "j" || event.key === "ArrowDown") at = Math.min(rows.length - 1, at + 1);
  else if (event.key === "k" || event.key === "ArrowUp") at = Math.max(0, at - 1);
  else if ((event.key === "o" || (event.key === "Enter" && !ownEnter(event.target, list))) && at >= 0) {
    const link = rows[at].querySelector("a");
    if (link) link.click();
    return true;
  } else return false;
  if (!rows[at]) return false;
  rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
  rows[at].scrollIntoView({ block: "nearest" });
  const link = rows[at].querySelector("a");
  if (link) link.focus({ preventScroll: true });
  if (list.dataset.list === "detail" && link) link.click();
  return true;
}

function commit(event) {
  const form = event.target.closest("form[data-commit]") || document.querySelector("dialog[open] form[data-commit]") || document.querySelector("form[data-commit]");
  if (!form) return;
  event.preventDefault();
  const custom = new CustomEvent("oms:commit", { bubbles: true, cancelable: true });
  if (!form.dispatchEvent(custom)) return;
  const button = form.querySelector("[data-primary]");
  if (button) button.click();
}

function single(event) {
  const page = waitingForPage && Date.now() - waitingForPage < 1200 ? pageFor(event.key) : null;
  waitingForPage = 0;
  if (page) {
    location.assign(page.href);
    return true;
  }
  switch (event.key) {
    case "g": waitingForPage = Date.now(); return true;
    case "/": document.getElementById("find").focus(); document.getElementById("find").select(); return true;
    case "?": document.getElementById("key-sheet").showModal(); return true;
    case "b": case "s": return press(event.key === "b" ? "buy" : "sell");
    case "y": navigator.clipboard?.writeText(location.href); return true;
    default: break;
  }
  if (listKeys(event)) return true;
  return press({ e: "amend", x: "cancel", f: "freeze", u: "apply", m: "mine", c: document.querySelector('[data-key="claim"]') ? "claim" : "comment" }[event.key]) || fallbackTicket(event.key);
}

function press(name) {
  const control = name && document.querySelector(`[data-key="${name}"]`);
  if (!control) return name === "buy" || name === "sell" ? fallbackTicket(name[0]) : false;
  control.click();
  return true;
}

function fallbackTicket(key) {
  if (key !== "b" && key !== "s") return false;
  location.assign(`/o/new?side=${key === "b" ? "1" : "2"}`);
  return true;
}

export function installKeys() {
  const lettersOn = document.body.dataset.letters !== "off";
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "Enter" && !event.repeat) commit(event); // a held key sends once
      if (event.key.toLowerCase() === "k") {
        event.preventDefault();
        document.getElementById("palette").showModal();
        document.getElementById("palette-text").focus();
      }
      return;
    }
    if (event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && typing(event.target)) {
      event.target.blur();
      return;
    }
    if (!lettersOn || typing(event.target) || event.target.closest("dialog")) return;
    if (single(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });
  const text = document.getElementById("palette-text");
  text?.closest("form").addEventListener("submit", (event) => {
    const line = text.value.trim();
    const page = [...document.querySelectorAll("#palette [data-page]")].find((link) => line && link.textContent.toLowerCase().startsWith(line.toLowerCase()));
    const order = /^([bs])\s+(\S+)\s+(\S+)(?:\s+(\S+))?(?:\s+(\S+))?$/i.exec(line);
    if (order) {
      event.preventDefault();
      const query = new URLSearchParams({ side: order[1].toLowerCase() === "b" ? "1" : "2", qty: order[2], symbol: order[3], price: order[4] || "", account: order[5] || "" });
      location.assign(`/o/new?${query}`);
    } else if (page) {
      event.preventDefault();
      location.assign(page.href);
    }
  });
}
