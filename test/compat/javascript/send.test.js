// SendWhatsAppMessage: what is accepted arrives at the simulated WhatsApp as it was written, and what is refused is refused in
// the model's words.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidParametersException, ResourceNotFoundException, SendWhatsAppMessageCommand, ThrottledRequestException, ValidationException } from "@aws-sdk/client-socialmessaging";
import { atWhatsApp, client, control, customerWrites, diego, foreign, missing, phone, refused, throttledEndpoint, until, waba } from "./service.js";

const api = client();

const send = (message, input = {}, from = api) =>
  from.send(
    new SendWhatsAppMessageCommand({
      originationPhoneNumberId: phone.id,
      metaApiVersion: "v20.0",
      message: typeof message === "string" ? Buffer.from(message) : Buffer.from(JSON.stringify(message)),
      ...input,
    }),
  );

/** A message to Diego, who has written to us, so that he may be written to. */
const toDiego = (type, content) => ({ messaging_product: "whatsapp", to: `+${diego}`, type, [type]: content });
const text = (body) => toDiego("text", { body });

const link = "https://example.com/file";
const reply = (id, title) => ({ type: "reply", reply: { id, title } });

describe("SendWhatsAppMessage", () => {
  const kinds = {
    text: { body: "Hello from the SDK", preview_url: false },
    image: { link, caption: "A picture" },
    audio: { link },
    document: { link, filename: "terms.pdf" },
    sticker: { link },
    video: { link },
    template: { name: "statement", language: { code: "en_US" }, components: [{ type: "body", parameters: [{ type: "text", text: "1000" }] }] },
    location: { latitude: 47.6, longitude: -122.3, name: "Home" },
    contacts: [{ name: { formatted_name: "Ada Lovelace", first_name: "Ada" }, phones: [{ phone: "+14255550199" }] }],
    "interactive buttons": { type: "button", body: { text: "Well?" }, action: { buttons: [reply("y", "Yes"), reply("n", "No")] } },
    "interactive list": {
      type: "list",
      body: { text: "Pick one" },
      action: { button: "Choose", sections: [{ title: "All", rows: [{ id: "1", title: "One" }, { id: "2", title: "Two" }] }] },
    },
    "interactive link": { type: "cta_url", body: { text: "Read on" }, action: { name: "cta_url", parameters: { display_text: "Open", url: link } } },
    "interactive location request": { type: "location_request_message", body: { text: "Where?" }, action: { name: "send_location" } },
  };
  test("every kind of message reaches WhatsApp as it was written", async (t) => {
    const wamid = await customerWrites(diego, "Hello!");
    for (const [kind, content] of Object.entries({ ...kinds, reaction: { message_id: wamid, emoji: "👋" } })) {
      await t.test(kind, async () => {
        const type = kind.split(" ")[0];
        const sent = toDiego(type, content);
        const { messageId, $metadata } = await send(sent);
        assert.equal($metadata.httpStatusCode, 200);
        assert.match(messageId, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
        const { body, message } = await atWhatsApp(messageId);
        assert.equal(message.type, type);
        const { biz_opaque_callback_data: ours, ...rest } = body;
        assert.equal(ours, messageId);
        assert.deepEqual(rest, sent);
      });
    }
  });

  test("a receipt marks the customer's message as read", async () => {
    const wamid = await customerWrites(diego, "Are you there?");
    await send({ messaging_product: "whatsapp", status: "read", message_id: wamid, typing_indicator: { type: "text" } });
    await until("receipt at WhatsApp", async () => {
      const { requests } = await control("GET", "/sim/v1/requests");
      return requests.some((r) => r.body?.status === "read" && r.body?.message_id === wamid && r.status === 200);
    });
  });

  for (const [what, input] of [
    ["an ARN", { originationPhoneNumberId: phone.arn }],
    ["the ARN of the audit log's samples", { originationPhoneNumberId: phone.arn.replace("phone-number-id/", "phone-number-id/phone-number-id-") }],
    ["a newer version", { metaApiVersion: "v23.0" }],
  ]) {
    test(`takes ${what}`, async () => {
      const { messageId } = await send(toDiego("template", { name: "hello_world", language: { code: "en_US" } }), input);
      await atWhatsApp(messageId);
    });
  }

  test("is delivered, and says so", async () => {
    const { messageId } = await send(toDiego("template", { name: "hello_world", language: { code: "en_US" } }));
    await until("delivery", async () => (await atWhatsApp(messageId)).message.status === "delivered");
  });

  test("an SDK's retry after a lost answer sends nothing twice", async () => {
    const flaky = client({ maxAttempts: 3 });
    let calls = 0;
    flaky.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        if (++calls === 1) throw Object.assign(new Error("the answer was lost"), { name: "TimeoutError", code: "ECONNRESET" });
        return result;
      },
      { step: "finalizeRequest", priority: "low" },
    );
    const { messageId } = await send(toDiego("template", { name: "simple_template", language: { code: "en_US" } }), {}, flaky);
    assert.equal(calls, 2);
    await atWhatsApp(messageId);
    const { messages } = await control("GET", `/sim/v1/messages?to=${diego}`);
    assert.equal(messages.filter((m) => m.message.template === "simple_template").length, 1);
  });

  test("ValidationException: nothing given, and every missing member is named", async () => {
    const error = await refused(api.send(new SendWhatsAppMessageCommand({})), "ValidationException", 400, /^3 validation errors detected/);
    for (const member of ["originationPhoneNumberId", "message", "metaApiVersion"]) assert.match(error.message, new RegExp(`'${member}'`));
    assert.ok(error instanceof ValidationException);
  });
  for (const [what, input, message] of [
    ["the id of a business account", { originationPhoneNumberId: waba.id }, /'originationPhoneNumberId' failed to satisfy constraint/],
    ["an empty message", { message: new Uint8Array() }, /'message' failed to satisfy constraint/],
    ["a message that is too long", { message: Buffer.alloc(2_048_001, "x") }, /'message' failed to satisfy constraint/],
  ]) {
    test(`ValidationException: ${what}`, () => refused(send(text("x"), input), "ValidationException", 400, message));
  }
  for (const [what, message, says] of [
    ["not JSON", "Hello", /JSON/],
    ["no product", { to: diego, type: "text", text: { body: "x" } }, /messaging_product/],
    ["nobody to send to", { messaging_product: "whatsapp", type: "text", text: { body: "x" } }, /Invalid destination phone number or message Id/],
    ["no object of its type", { messaging_product: "whatsapp", to: diego, type: "image" }, /image/],
    ["a text that is too long", text("x".repeat(4097)), /4096/],
    ["four buttons", toDiego("interactive", { type: "button", body: { text: "?" }, action: { buttons: ["a", "b", "c", "d"].map((x) => reply(x, x)) } }), /buttons/],
  ]) {
    test(`InvalidParametersException: ${what}`, async () => {
      const error = await refused(send(message), "InvalidParametersException", 400, says);
      assert.ok(error instanceof InvalidParametersException);
    });
  }
  for (const metaApiVersion of ["v19.0", "20.0", "v20", "latest"]) {
    test(`InvalidParametersException: version ${metaApiVersion}`, () =>
      refused(send(text("x"), { metaApiVersion }), "InvalidParametersException", 400, /metaApiVersion|version/i));
  }
  for (const [what, originationPhoneNumberId] of [["an id nobody has", missing.phone], ["another account's ARN", foreign(phone.arn)]]) {
    test(`ResourceNotFoundException: ${what}`, async () => {
      const error = await refused(send(text("x"), { originationPhoneNumberId }), "ResourceNotFoundException", 404, /phone number/i);
      assert.ok(error instanceof ResourceNotFoundException);
    });
  }

  test("ThrottledRequestException: says when to come back", async () => {
    const limited = client({ endpoint: throttledEndpoint });
    const hello = toDiego("template", { name: "hello_world", language: { code: "en_US" } });
    await send(hello, {}, limited).catch(() => {}); // whoever comes first uses up the quota
    const error = await refused(send(hello, {}, limited), "ThrottledRequestException", 429, /./);
    assert.ok(error instanceof ThrottledRequestException);
    const wait = Number(error.$response.headers["x-amz-retry-after"]); // milliseconds
    assert.ok(wait > 0 && wait <= 100_000, `x-amz-retry-after: ${error.$response.headers["x-amz-retry-after"]}`);
  });
});
