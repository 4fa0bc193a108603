// What every page has: live indicator, server clock, stale banner, toasts, refresh pings, keys.
import { hub } from "./hub.js";
import { clock, useZone, zoneName } from "./format.js";
import { keepPlace } from "./keep_place.js";
import { installKeys } from "./keys.js";
import { installStepUp } from "./step_up.js";
import "./authenticator.js";
import { toast } from "./toasts.js";

const body = document.body;
useZone(body.dataset.zone || "Europe/London");
const live = document.getElementById("live");
const clockBox = document.getElementById("clock");
const stale = document.getElementById("stale");
const staleText = document.getElementById("stale-text");

const REASONS = {
  down: "Connection to the live feed lost. Figures are frozen",
  stale: "The live feed has stalled. Figures are frozen",
  "signed-out": "You are signed out. Figures are frozen; sign in again in another tab, what you typed stays here",
};

function asOf() {
  return hub.liveAt ? ` as of ${clock(hub.liveAt + hub.skew)} ${zoneName(hub.liveAt)}` : "";
}

function showState() {
  const blocked = !hub.live && hub.state !== "connecting";
  body.classList.toggle("stale", blocked);
  if (stale) {
    stale.hidden = !blocked;
    if (blocked) staleText.textContent = `${REASONS[hub.state] || REASONS.stale}${asOf()}. New orders and amends are blocked; cancels still go.`;
  }
  for (const control of document.querySelectorAll("[data-needs-live]")) {
    if (blocked) {
      control.dataset.wasDisabled ??= control.getAttribute("aria-disabled") || "";
      control.setAttribute("aria-disabled", "true");
      control.title = "Blocked: the figures on this page are stale.";
    } else if (control.dataset.wasDisabled !== undefined) {
      if (control.dataset.wasDisabled) control.setAttribute("aria-disabled", control.dataset.wasDisabled);
      else control.removeAttribute("aria-disabled");
      control.removeAttribute("title");
      delete control.dataset.wasDisabled;
    }
  }
}

function tick() {
  const now = hub.serverNow();
  clockBox.textContent = `${clock(now)} ${zoneName(now)}`;
  if (Math.abs(hub.skew) > 1000) {
    clockBox.dataset.skew = "1";
    clockBox.title = `This computer's clock differs from the server's by ${(hub.skew / 1000).toFixed(1)} s.`;
  } else delete clockBox.dataset.skew;
  if (!live) return;
  const seconds = hub.heardAt ? Math.max(0, (Date.now() - hub.heardAt) / 1000) : 0;
  const words = { live: `Live ${seconds.toFixed(1)}s`, stale: `Stale ${seconds.toFixed(0)}s`, down: `Down ${seconds.toFixed(0)}s`, connecting: "Connecting", "signed-out": "Signed out" };
  live.dataset.state = hub.state;
  live.querySelector("b").textContent = words[hub.state];
}

hub.on("state", (message) => {
  showState();
  tick();
  if (message.state === "live" && message.was !== "live" && message.was !== "connecting") body.dispatchEvent(new CustomEvent("oms:resync", { bubbles: true }));
});
let heard = false;
hub.on("state", (message) => {
  if (message.state !== "live" || heard) return;
  heard = true; // what changed between the drawing of this page and its first heartbeat
  for (const box of document.querySelectorAll("main [data-topics]")) box.dispatchEvent(new CustomEvent("oms:refresh"));
});
hub.on("resync", () => body.dispatchEvent(new CustomEvent("oms:resync", { bubbles: true })));
setInterval(tick, 250);
tick();

// Server-drawn fragments refetch when something they show changed: soon, and once more for what follows after commit.
const due = new Map();
function refresh(topic) {
  if (due.has(topic)) return;
  due.set(topic, true);
  const fire = () => {
    for (const box of document.querySelectorAll(`[data-topics~="${topic}"]`)) box.dispatchEvent(new CustomEvent("oms:refresh"));
  };
  setTimeout(fire, 300);
  setTimeout(() => {
    due.delete(topic);
    fire();
  }, 1500);
}
hub.on("ping", (message) => message.topics.forEach(refresh));
hub.on("rows", (message) => {
  if (!document.querySelector("[data-order]")) return;
  for (const box of document.querySelectorAll("[data-order]")) {
    if (message.rows.some((row) => row[0] === box.dataset.order)) refresh(`order:${box.dataset.order}`);
  }
});
body.addEventListener("oms:resync", () => {
  for (const box of document.querySelectorAll("[data-topics]")) box.dispatchEvent(new CustomEvent("oms:refresh"));
});

body.addEventListener("htmx:afterSwap", showState);
body.addEventListener("htmx:afterSwap", (event) => {
  // The answer to a form further down a long page is brought to where it is read.
  if (event.detail.target.matches("#form-error, #rules-said")) event.detail.target.scrollIntoView({ block: "nearest" });
});
body.addEventListener("htmx:sendError", () => toast("The server did not answer. Nothing was sent; try again."));
body.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) toast("You are signed out. Sign in again in another tab; what you typed stays here.", "/sign-in");
  else if (status !== 422) toast(`The server refused (${status}). Nothing was changed.`);
});
body.addEventListener("click", (event) => {
  const blocked = event.target.closest('[aria-disabled="true"]');
  if (blocked) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const reason = blocked.title || blocked.dataset.why;
    if (reason) toast(reason);
  }
}, true);

// A page that draws itself anew keeps nobody signed in; a person at the keyboard or the pointer does.
let used = false;
for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"]) {
  addEventListener(kind, () => { used = true; }, { capture: true, passive: true });
}
body.addEventListener("htmx:configRequest", (event) => {
  if (!used) return;
  event.detail.headers["X-Used"] = "1";
  used = false;
});

keepPlace();
installKeys();
installStepUp();
hub.start();

// A menu closes on Escape, or when the focus goes elsewhere.
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("focusin", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
