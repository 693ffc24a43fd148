// What the consumers' tests share: where the service is, how to make things happen there, and a place to receive what it sends. The
// Go test that starts the service sets the variables.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { ListLinkedWhatsAppBusinessAccountsCommand, SendWhatsAppMessageCommand, SocialMessagingClient } from "@aws-sdk/client-socialmessaging";
import { need, until } from "../common.mjs";

export { need, until };

const simulator = need("WAXWING_SIMULATOR_URL");
/** Where the service says that it is: behind a proxy that speaks TLS. */
export const publicUrl = need("WAXWING_PUBLIC_URL");
export const topicArn = "arn:aws:sns:us-east-1:000000000000:whatsapp-events";
export const diego = "14255550150";
const metaId = "1100000000000001";
const key = "0".repeat(31) + "1";

const api = new SocialMessagingClient({ maxAttempts: 1 });

/** Sends a template message and returns its id. */
export const sendTemplate = async () =>
  (
    await api.send(
      new SendWhatsAppMessageCommand({
        originationPhoneNumberId: `phone-number-id-${key}`,
        metaApiVersion: "v20.0",
        message: Buffer.from(
          JSON.stringify({ messaging_product: "whatsapp", to: `+${diego}`, type: "template", template: { name: "hello_world", language: { code: "en_US" } } }),
        ),
      }),
    )
  ).messageId;

/** Lets a customer write and returns the id of the message. */
export async function customerWrites(message) {
  const response = await fetch(`${simulator}/sim/v1/customers/${diego}/messages`, { method: "POST", body: JSON.stringify({ phone_number_id: metaId, message }) });
  assert.ok(response.ok, `${response.status}`);
  return (await response.json()).id;
}

/** Subscribes an HTTP endpoint to the topic of the business account. */
export const subscribe = (Endpoint, Attributes) => new SNSClient({ maxAttempts: 1 }).send(new SubscribeCommand({ TopicArn: topicArn, Protocol: "http", Endpoint, Attributes }));

/** Makes an additional event destination: an operation that the SDK does not have, signed by the SDK all the same. */
export async function createEventDestination(destination) {
  const client = new SocialMessagingClient({ maxAttempts: 1 });
  client.middlewareStack.add(
    (next) => (args) => {
      const body = JSON.stringify(destination);
      Object.assign(args.request, { method: "POST", path: "/v1/waxwing/event-destinations", query: {}, body });
      Object.assign(args.request.headers, { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) });
      return next(args);
    },
    { step: "build", priority: "high" },
  );
  await client.send(new ListLinkedWhatsAppBusinessAccountsCommand({}));
}

/** Runs an HTTP server for the length of a test; `take` gets the headers and the body, and whatever it throws is a 500. */
export async function receiver(t, take) {
  const problems = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      await take(request.headers, Buffer.concat(chunks));
    } catch (problem) {
      problems.push(problem);
      response.statusCode = 500;
    }
    response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    assert.deepEqual(problems, []);
  });
  return `http://127.0.0.1:${server.address().port}/`;
}

/** The statuses that an event's document tells of, each with the message that it is about. */
export const statusesOf = (event) =>
  JSON.parse(event.whatsAppWebhookEntry).changes.flatMap(({ value }) => (value.statuses ?? []).map(({ status }) => `${event.messageId} ${status}`));
