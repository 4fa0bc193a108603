// The one stream connection of a browser: opens it, watches it, and says what it heard.
// Runs in the shared worker, or in the page where a browser has none. States: connecting, live, stale, down, signed-out.

const STALL_MS = 3000;
const RETRY_MS = [250, 500, 1000, 2000, 3000];

export class HubCore {
  constructor(say) {
    this.say = say; // called with every message for the pages
    this.url = null;
    this.source = null;
    this.state = "connecting";
    this.failures = 0;
    this.refused = false; // told to go since it last was let in
    this.heardAt = 0;
    this.beat = null;
    this.lastId = null;
  }

  open(url) {
    if (this.url) return;
    this.url = url;
    this.connect();
    setInterval(() => this.watch(), 250);
  }

  connect() {
    const query = this.lastId ? `?after=${encodeURIComponent(this.lastId)}` : "";
    const source = new EventSource(this.url + query, { withCredentials: true });
    this.source = source;
    const heard = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.heardAt = Date.now();
        if (event.lastEventId) this.lastId = event.lastEventId;
        handle(event.data ? JSON.parse(event.data) : {});
      });
    heard("hello", (data) => {
      this.failures = 0;
      this.refused = false;
      this.say({ kind: "hello", ...data });
    });
    heard("beat", (data) => {
      this.beat = data;
      this.settle();
      this.say({ kind: "beat", ...data, heardAt: this.heardAt, state: this.state });
    });
    heard("rows", (data) => this.say({ kind: "rows", ...data }));
    heard("ping", (data) => this.say({ kind: "ping", ...data }));
    heard("resync", (data) => this.say({ kind: "resync", ...data }));
    heard("bye", () => {
      // The cookie of this connection is no more. The browser may have a newer one, as after confirming who one is: ask once.
      this.stop();
      if (this.refused) return this.become("signed-out");
      this.refused = true;
      this.connect();
    });
    source.onerror = () => {
      if (source !== this.source) return;
      this.stop();
      this.become("down");
      const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
      this.failures += 1;
      setTimeout(() => {
        if (this.state !== "signed-out") this.connect();
      }, wait);
    };
  }

  stop() {
    if (this.source) this.source.close();
    this.source = null;
  }

  settle() {
    // A heartbeat proves the stream process; its "feed" proves everything behind it.
    this.become(this.beat && this.beat.feed === "ok" ? "live" : "stale");
  }

  watch() {
    if (this.source && this.heardAt && Date.now() - this.heardAt > STALL_MS) {
      this.become("stale");
      if (Date.now() - this.heardAt > STALL_MS * 3) {
        this.stop();
        this.heardAt = Date.now();
        this.connect();
      }
    }
  }

  become(state) {
    if (state === this.state) return;
    const was = this.state;
    this.state = state;
    this.say({ kind: "state", state, was, heardAt: this.heardAt });
  }
}
