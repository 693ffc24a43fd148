// Libraries that were made for Meta's own webhooks read the entries of events, put back into the frame in which Meta sends them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { normalizeWebhook } from "@kapso/whatsapp-cloud-api/server";
import { WhatsAppAPI } from "whatsapp-api-js";
import { createEventDestination, customerWrites, diego, receiver, sendTemplate, until } from "./service.js";

/** The webhook of Meta's that an event came from, or would have come from. */
const webhookOf = (event) => ({ object: "whatsapp_business_account", entry: [JSON.parse(event.whatsAppWebhookEntry)] });

const events = [], sent = {}, received = {};
let close;

before(async () => {
  const address = await receiver({ after: (f) => (close = f) }, (_, body) => events.push(JSON.parse(body)));
  await createEventDestination({ type: "https", address, filter: { fields: ["messages"] } });
  sent.template = await sendTemplate();
  received.text = await customerWrites({ type: "text", text: { body: "Hello" } });
  received.location = await customerWrites({ type: "location", location: { latitude: 47.6, longitude: -122.3, name: "Home" } });
  received.image = await customerWrites({ type: "image", image: { data: Buffer.from("\x89PNG\r\n\x1a\n").toString("base64"), mime_type: "image/png", caption: "A picture" } });
  await until("events", () => events.filter((event) => event.messageId === sent.template).length >= 3 && events.length >= 6);
});
after(() => close());

test("@kapso/whatsapp-cloud-api", () => {
  const read = events.map((event) => ({ event, ...normalizeWebhook(webhookOf(event)) }));
  const statuses = read.filter(({ event }) => event.messageId === sent.template).flatMap(({ statuses }) => statuses.map(({ status, recipientId }) => `${recipientId} ${status}`));
  assert.deepEqual(statuses.sort(), [`${diego} accepted`, `${diego} delivered`, `${diego} sent`]);
  const messages = read.flatMap(({ messages, phoneNumberId }) => messages.map((message) => ({ ...message, phoneNumberId })));
  for (const [type, id] of Object.entries(received)) {
    const message = messages.find((message) => message.id === id);
    assert.equal(message?.type, type);
    assert.equal(message.from, diego);
    assert.equal(message.phoneNumberId, "1100000000000001");
  }
});

test("whatsapp-api-js", async () => {
  const api = new WhatsAppAPI({ token: "unused", secure: false, v: "v20.0" });
  const messages = [], statuses = [];
  api.on.message = ({ message, name, phoneID }) => messages.push({ ...message, name, phoneID });
  api.on.status = ({ id, status, phone }) => statuses.push({ id, status, phone });
  for (const event of events) await api.post(webhookOf(event));
  await until("statuses and messages", () => statuses.length >= 3 && messages.length >= 3); // its handlers run when they like
  const mine = statuses.filter(({ id }) => id === statuses[0].id);
  assert.deepEqual(mine.map(({ status }) => status).sort(), ["accepted", "delivered", "sent"]);
  assert.ok(mine.every(({ phone, id }) => phone === diego && id.startsWith("wamid.")));
  for (const [type, id] of Object.entries(received)) {
    const message = messages.find((message) => message.id === id);
    assert.equal(message?.type, type);
    assert.equal(message.name, "Diego");
    assert.equal(message.phoneID, "1100000000000001");
  }
});
