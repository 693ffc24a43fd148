// What the tests know about the simulated WhatsApp, and the app that its callbacks are delivered to.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { need, until } from "../common.mjs";

export { until };

export const simulator = need("WAXWING_SIMULATOR_URL");
export const accessToken = need("WAXWING_ACCESS_TOKEN");
export const appSecret = need("WAXWING_APP_SECRET");
export const verifyToken = need("WAXWING_VERIFY_TOKEN");
export const version = "v25.0";

export const account = "1200000000000001";
export const number = "1100000000000001";
export const amara = "447700900123";

/** A picture of one dot. */
export const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
  "base64",
);

/** Calls the control API. */
export async function control(method, path, body) {
  const response = await fetch(simulator + path, { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** Lets a customer write, which opens the customer service window, and returns the id of the message. */
export const customerWrites = async (message) =>
  (await control("POST", `/sim/v1/customers/${amara}/messages`, { phone_number_id: number, message })).id;

/** What became of a message at WhatsApp. */
export const atWhatsApp = async (wamid) => {
  const { messages } = await control("GET", `/sim/v1/messages?wamid=${encodeURIComponent(wamid)}`);
  assert.equal(messages.length, 1, `${wamid} at WhatsApp`);
  return messages[0];
};

/**
 * Starts an app that answers the handshake with what `greet` makes of the query and hands every callback to `take`, and tells
 * the simulator where it is.
 */
export async function app(greet, take) {
  const server = createServer(async (request, response) => {
    try {
      if (request.method === "GET") {
        response.end(greet(Object.fromEntries(new URL(request.url, "http://app").searchParams)));
        return;
      }
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      await take(Buffer.concat(chunks), request.headers["x-hub-signature-256"]);
      response.end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  await control("PUT", "/sim/v1/settings", { webhook_url: `http://127.0.0.1:${server.address().port}/`, review_ms: 0, sent_ms: 20, delivered_ms: 60 });
  return () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
}
