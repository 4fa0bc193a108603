// A form whose effect is drawn beside it while it is typed, and that sends only what was drawn of exactly what stands in it.
// Ctrl+Enter before that waits for it; a click on a button that says something older sends nothing. The form draws its preview on
// oms:preview; what sends is its [data-primary].
import { hub } from "./hub.js";
import { toast } from "./toasts.js";

const PREVIEW_MS = 150;
const draws = new Map(); // by form: draw its preview anew

// What tells it that its content was changed by more than typing. A form that is known already is drawn anew, and gives nothing.
export function previewed(form) {
  if (draws.has(form)) {
    draws.get(form)();
    return null;
  }
  let edition = 0; // of what is typed
  let drawn = -1; // the edition that the preview is of
  let timer = 0;
  let wantsCommit = false;
  let sending = false;

  function preview() {
    clearTimeout(timer);
    if (!sending && form.isConnected) form.dispatchEvent(new CustomEvent("oms:preview"));
  }

  function changed() {
    edition += 1;
    clearTimeout(timer);
    timer = setTimeout(preview, PREVIEW_MS);
  }

  function commit() {
    if (sending) return;
    if (drawn !== edition) {
      if (!wantsCommit) preview();
      wantsCommit = true;
      return;
    }
    const button = form.querySelector("[data-primary]");
    if (!button) toast("Nothing is sent: what is missing or forbidden stands beside it.");
    else if (button.getAttribute("aria-disabled") === "true") toast(button.title || button.dataset.why || "This cannot be sent now.");
    else button.click();
  }

  form.addEventListener("input", () => {
    wantsCommit = false;
    changed();
  });
  form.addEventListener("oms:commit", (event) => {
    event.preventDefault();
    commit();
  });
  form.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === form) event.detail.edition = edition; // an answer may come when more has been typed, and more been asked
  });
  form.addEventListener("htmx:afterSettle", (event) => {
    const { requestConfig, target } = event.detail;
    if (requestConfig?.edition !== edition || !form.contains(target)) return;
    drawn = edition;
    if (wantsCommit) {
      wantsCommit = false;
      commit();
    }
  });
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (sending && event.detail.requestConfig.elt === form) event.detail.shouldSwap = false; // the button would go that waits for its answer
  });
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches("[data-primary]")) return;
    const stale = !["live", "connecting"].includes(hub.state);
    if (sending || stale || drawn !== edition) {
      event.preventDefault();
      if (!sending) toast(stale ? "Not sent: the figures on this page are stale." : "Not sent: what you typed last is not checked yet.");
      return;
    }
    sending = true;
    event.target.setAttribute("aria-disabled", "true");
    event.target.title = event.target.textContent = "Sent, waiting for confirmation";
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches("[data-primary]") || event.detail.successful) return;
    sending = false; // the same key goes with the next try, so it stays one order
    changed();
  });
  draws.set(form, preview);
  preview();
  return changed;
}

hub.on("state", (message) => {
  if (message.state !== "live" || message.was === "live") return;
  for (const [form, draw] of draws) {
    if (form.isConnected) draw();
    else draws.delete(form);
  }
});
