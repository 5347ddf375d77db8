// Sends an exception and a message with raven-js under Node, by fetch, and prints the ids of its events as JSON. Argument: the
// DSN.

// It tries fetch with an address that only a page makes whole.
globalThis.Request = class extends Request {
  constructor(address, options) {
    super(address || "http://localhost/", options);
  }
};
const Raven = require("raven-js");

Raven.config(process.argv[2], {
  release: "shop@1.2.3", environment: "staging", serverName: "web-1", tags: { region: "eu", shard: 7 },
  autoBreadcrumbs: false, instrument: false,
}).install();
const ids = {};
try {
  null.missing();
} catch (error) {
  Raven.captureException(error);
  ids.exception = Raven.lastEventId();
}
Raven.captureMessage("It broke: ünïcödé", { level: "warning" });
ids.message = Raven.lastEventId();
console.log(JSON.stringify(ids));
