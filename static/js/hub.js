// The page's end of the hub. `hub.on(kind, fn)` hears state, beat, rows, ping, resync, hello; `hub.state` is the latest.
import { HubCore } from "./hub_core.js";

class Hub extends EventTarget {
  constructor() {
    super();
    this.state = "connecting";
    this.heardAt = 0;
    this.liveAt = 0; // last time figures were known to be current, client clock
    this.skew = 0; // server minus client, ms
    this.beat = null;
  }

  start() {
    const url = document.body.dataset.stream;
    if (!url || this.started) return;
    this.started = true;
    if (typeof SharedWorker === "function") {
      const worker = new SharedWorker(document.body.dataset.worker, {
        type: "module",
        name: `oms-${document.body.dataset.session}`,
      });
      worker.port.onmessage = ({ data }) => this.take(data);
      worker.port.postMessage({ kind: "open", url });
      addEventListener("pagehide", () => worker.port.postMessage({ kind: "close" }));
      addEventListener("pageshow", (event) => {
        if (event.persisted) location.reload();
      });
    } else {
      new HubCore((data) => this.take(data)).open(url);
    }
  }

  take(message) {
    if (message.kind === "beat") {
      this.beat = message;
      this.heardAt = message.heardAt;
      if (message.state === "live") this.liveAt = message.heardAt;
      this.skew = message.t - message.heardAt;
    }
    if (message.kind === "state" || message.kind === "beat") this.state = message.state;
    this.dispatchEvent(new CustomEvent(message.kind, { detail: message }));
  }

  get live() {
    return this.state === "live";
  }

  on(kind, handle) {
    this.addEventListener(kind, (event) => handle(event.detail));
  }

  serverNow() {
    return Date.now() + this.skew;
  }
}

export const hub = new Hub();
