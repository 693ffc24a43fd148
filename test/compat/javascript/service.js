// What the tests know about the running service: where it is, what its development world holds, and how to look at the
// simulated WhatsApp behind it. The Go test that starts the service sets the variables.
import assert from "node:assert/strict";
import { SocialMessagingClient } from "@aws-sdk/client-socialmessaging";
import { need, until } from "../common.mjs";

export { until };

export const endpoint = need("AWS_ENDPOINT_URL");
export const simulator = need("WAXWING_SIMULATOR_URL");
export const implemented = need("WAXWING_OPERATIONS").split(",");
/** A second server on which every operation of the API may be called once in a hundred seconds. */
export const throttledEndpoint = need("WAXWING_THROTTLED_URL");
/** A third server, and the simulated WhatsApp behind it, for tests that change what is linked. */
export const signUpEndpoint = need("WAXWING_SIGNUP_URL");
export const signUpSimulator = need("WAXWING_SIGNUP_SIMULATOR_URL");

export const account = "000000000000";
export const region = "us-east-1";
const key = "0".repeat(31) + "1";
export const waba = { id: `waba-${key}`, arn: `arn:aws:social-messaging:${region}:${account}:waba/${key}`, metaId: "1200000000000001" };
export const phone = {
  id: `phone-number-id-${key}`,
  arn: `arn:aws:social-messaging:${region}:${account}:phone-number-id/${key}`,
  metaId: "1100000000000001",
  number: "+15550100001",
};
export const topicArn = `arn:aws:sns:${region}:${account}:whatsapp-events`;
export const diego = "14255550150";

/** The same ARN in an account that is not ours. */
export const foreign = (arn) => arn.replace(`:${account}:`, ":111122223333:");
export const missing = { waba: "waba-" + "f".repeat(32), phone: "phone-number-id-" + "f".repeat(32) };

/** A client with the environment's credentials that tries once, so that tests see the first answer. */
export const client = (config = {}) => new SocialMessagingClient({ maxAttempts: 1, ...config });

/**
 * Asserts that a call is refused as the model says: the exception's class, HTTP status, request id and a text. `message` is
 * what the text has to say.
 */
export async function refused(call, name, status, message) {
  const error = await call.then(
    (value) => assert.fail(`not refused: ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.equal(error.name, name, `${error.name}: ${error.message}`);
  assert.equal(error.$metadata?.httpStatusCode, status);
  assert.match(error.$metadata.requestId ?? "", /^[0-9a-f-]{36}$/);
  assert.match(error.message, message);
  return error;
}

/** Calls the simulated WhatsApp's control API. */
export async function control(method, path, body) {
  const response = await fetch(simulator + path, { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** Waits until WhatsApp has a message that the service sent, and returns its record there. */
export const atWhatsApp = (messageId) =>
  until(`message ${messageId} at WhatsApp`, async () => {
    const { messages } = await control("GET", `/sim/v1/messages?biz_opaque_callback_data=${messageId}`);
    return messages[0];
  });

/** Lets a customer write, which opens the customer service window, and returns the id of the message. */
export const customerWrites = async (from, text) =>
  (await control("POST", `/sim/v1/customers/${from}/messages`, { phone_number_id: phone.metaId, message: { type: "text", text: { body: text } } })).id;
