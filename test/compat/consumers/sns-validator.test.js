// sns-validator, AWS's own: it fetches the certificate that a notification names, over HTTPS, and verifies the signature.
import assert from "node:assert/strict";
import { test } from "node:test";
import MessageValidator from "sns-validator";
import { publicUrl, receiver, sendTemplate, statusesOf, subscribe, until } from "./service.js";

const validator = new MessageValidator(new RegExp(`^${new URL(publicUrl).host.replaceAll(".", "\\.")}$`));
const validate = (message) => new Promise((resolve, reject) => validator.validate(message, (error, valid) => (error ? reject(error) : resolve(valid))));

test("sns-validator accepts confirmations and notifications, and nothing that was changed", async (t) => {
  const told = [];
  let confirmed = false;
  const url = await receiver(t, async (_, body) => {
    const message = await validate(JSON.parse(body));
    await assert.rejects(validate({ ...JSON.parse(body), Message: "something else" }), /signature is invalid/i);
    if (message.Type === "SubscriptionConfirmation") return (confirmed = (await fetch(message.SubscribeURL)).ok);
    told.push(...statusesOf(JSON.parse(message.Message)));
  });
  await subscribe(url);
  await until("confirmation", () => confirmed);
  const id = await sendTemplate();
  await until("events", () => ["accepted", "sent", "delivered"].every((status) => told.includes(`${id} ${status}`)));
});
