// One per browser and signed-in person: every tab shares its single connection.
import { HubCore } from "./hub_core.js";

const ports = new Set();
let hello = null;
const core = new HubCore((message) => {
  if (message.kind === "hello") hello = message;
  for (const port of ports) port.postMessage(message);
});

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.kind === "open") {
      core.open(data.url);
      if (hello) port.postMessage(hello);
      port.postMessage({ kind: "state", state: core.state, was: core.state, heardAt: core.heardAt });
      if (core.beat) port.postMessage({ kind: "beat", ...core.beat, heardAt: core.heardAt, state: core.state });
    }
    if (data.kind === "close") ports.delete(port);
  };
};
