// standardwebhooks, of the authors of the specification: it verifies what an HTTPS destination receives.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { createEventDestination, customerWrites, receiver, sendTemplate, statusesOf, until } from "./service.js";

test("standardwebhooks verifies what an HTTPS destination receives", async (t) => {
  const secret = "whsec_" + randomBytes(24).toString("base64");
  const webhook = new Webhook(secret);
  const told = [], ids = new Set();
  const address = await receiver(t, (headers, body) => {
    const event = webhook.verify(body.toString(), headers);
    assert.throws(() => webhook.verify(body + " ", headers), WebhookVerificationError);
    assert.equal(headers["x-team"], "7");
    assert.equal(headers["content-type"], "application/json");
    ids.add(headers["webhook-id"]);
    told.push(...statusesOf(event), ...JSON.parse(event.whatsAppWebhookEntry).changes.flatMap(({ value }) => (value.messages ?? []).map(({ text }) => text?.body)));
  });
  await createEventDestination({ type: "https", address, secret, headers: [{ name: "X-Team", value: "7" }] });
  const id = await sendTemplate();
  await customerWrites({ type: "text", text: { body: "Hé 👍" } });
  await until("events", () => [`${id} accepted`, `${id} sent`, `${id} delivered`, "Hé 👍"].every((what) => told.includes(what)));
  assert.ok(ids.size >= 4, "events share an id");
});
