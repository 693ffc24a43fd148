// @kapso/whatsapp-cloud-api against the simulated WhatsApp: its sending, media, template and webhook paths.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GraphApiError, TemplateDefinition, WhatsAppClient, buildTemplateSendPayload } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { accessToken, account, amara, app, appSecret, atWhatsApp, control, customerWrites, number, picture, simulator, until, verifyToken, version } from "./simulator.js";

const client = new WhatsAppClient({ accessToken, baseUrl: simulator, graphVersion: version });
const callbacks = [];
let close;

before(async () => {
  close = await app(
    (query) => (query["hub.verify_token"] === verifyToken ? query["hub.challenge"] : "no"),
    (rawBody, signatureHeader) => {
      assert.ok(verifySignature({ appSecret, rawBody, signatureHeader }), "the library does not accept the signature");
      assert.ok(!verifySignature({ appSecret: "another", rawBody, signatureHeader }));
      callbacks.push(normalizeWebhook(JSON.parse(rawBody)));
    },
  );
});
after(() => close());

const all = (member) => callbacks.flatMap((callback) => callback[member] ?? []);
const raw = (field) => callbacks.flatMap((callback) => callback.raw[field] ?? []);
const statusesOf = (id) => all("statuses").filter((status) => status.id === id);
const to = { phoneNumberId: number, to: `+${amara}` };
const idOf = (answer) => {
  assert.equal(answer.messagingProduct, "whatsapp");
  assert.equal(answer.contacts[0].waId, amara);
  assert.match(answer.messages[0].id, /^wamid\./);
  return answer.messages[0].id;
};

describe("messages", () => {
  before(() => customerWrites({ type: "text", text: { body: "Hello" } }));

  const link = "https://example.com/file";
  const sends = {
    text: () => client.messages.sendText({ ...to, body: "Hi 👋", previewUrl: true }),
    image: () => client.messages.sendImage({ ...to, image: { link, caption: "A picture" } }),
    audio: () => client.messages.sendAudio({ ...to, audio: { link } }),
    document: () => client.messages.sendDocument({ ...to, document: { link, filename: "terms.pdf" } }),
    video: () => client.messages.sendVideo({ ...to, video: { link } }),
    sticker: () => client.messages.sendSticker({ ...to, sticker: { link } }),
    location: () => client.messages.sendLocation({ ...to, location: { latitude: 47.6, longitude: -122.3, name: "Home" } }),
    contacts: () => client.messages.sendContacts({ ...to, contacts: [{ name: { formattedName: "Ada Lovelace", firstName: "Ada" }, phones: [{ phone: "+14255550199" }] }] }),
    buttons: () => client.messages.sendInteractiveButtons({ ...to, bodyText: "Well?", buttons: [{ id: "y", title: "Yes" }, { id: "n", title: "No" }] }),
    list: () =>
      client.messages.sendInteractiveList({ ...to, bodyText: "Pick one", buttonText: "Choose", sections: [{ title: "All", rows: [{ id: "1", title: "One" }, { id: "2", title: "Two" }] }] }),
    link: () => client.messages.sendInteractiveCtaUrl({ ...to, bodyText: "Read on", parameters: { displayText: "Open", url: link } }),
    "location request": () => client.messages.sendInteractiveLocationRequest({ ...to, bodyText: "Where?", parameters: { requestMessage: "Where are you?" } }),
  };
  for (const [kind, send] of Object.entries(sends)) {
    test(kind, async () => {
      const id = idOf(await send());
      await until(`delivery of a ${kind}`, () => statusesOf(id).find((status) => status.status === "delivered"));
    });
  }

  test("reaction, mark as read, typing", async () => {
    const wamid = await customerWrites({ type: "text", text: { body: "Are you there?" } });
    idOf(await client.messages.sendReaction({ ...to, reaction: { messageId: wamid, emoji: "👍" } }));
    const { success } = await client.messages.markRead({ phoneNumberId: number, messageId: wamid, typingIndicator: { type: "text" } });
    assert.equal(success, true);
  });

  test("refusals are told apart", async () => {
    const refused = async (call, code, category, more = {}) => {
      const error = await call.then(() => assert.fail("not refused"), (error) => error);
      assert.ok(error instanceof GraphApiError, String(error));
      assert.equal(error.code, code);
      assert.equal(error.category, category);
      assert.ok(error.fbtraceId);
      for (const [key, value] of Object.entries(more)) assert.equal(error[key], value, key);
      return error;
    };
    const stranger = new WhatsAppClient({ accessToken: "nobody", baseUrl: simulator, graphVersion: version });
    assert.ok((await refused(stranger.messages.sendText({ ...to, body: "x" }), 190, "authorization", { httpStatus: 401 })).isAuthError());
    const unknown = client.messages.sendTemplate({ ...to, template: { name: "nope", language: { code: "en_US" } } });
    assert.ok((await refused(unknown, 132001, "template", { details: "template name (nope) does not exist in en_US" })).isTemplateError());
    await refused(client.messages.sendText({ phoneNumberId: "999", to: to.to, body: "x" }), 100, "parameter", { errorSubcode: 33, httpStatus: 400 });
  });
});

describe("media", () => {
  test("upload, read, download, send, delete", async () => {
    const { id } = await client.media.upload({ phoneNumberId: number, type: "image/png", file: new Blob([picture], { type: "image/png" }), fileName: "dot.png" });
    const about = await client.media.get({ mediaId: id, phoneNumberId: number });
    assert.equal(about.mimeType, "image/png");
    assert.equal(Number(about.fileSize), picture.length);
    const bytes = await client.media.download({ mediaId: id, auth: "always" });
    assert.deepEqual(Buffer.from(bytes), picture);
    const without = await client.media.download({ mediaId: id, auth: "never", as: "response" });
    assert.equal(without.status, 401);
    idOf(await client.messages.sendImage({ ...to, image: { id } }));
    assert.equal((await client.media.delete({ mediaId: id })).success, true);
    const gone = await client.media.get({ mediaId: id }).then(() => assert.fail("still there"), (error) => error);
    assert.equal(gone.errorSubcode, 33);
  });
});

describe("templates", () => {
  const definition = TemplateDefinition.buildTemplateDefinition({
    name: "parcel_ready",
    language: "en_GB",
    category: "UTILITY",
    parameterFormat: "NAMED",
    messageSendTtlSeconds: 43200,
    components: [
      { type: "HEADER", format: "TEXT", text: "Parcel {{ref}}", example: { headerTextNamedParams: [{ paramName: "ref", example: "88" }] } },
      { type: "BODY", text: "Hi {{first_name}}, your parcel is here.", example: { bodyTextNamedParams: [{ paramName: "first_name", example: "Ada" }] } },
      { type: "FOOTER", text: "Demo Ltd" },
      {
        type: "BUTTONS",
        buttons: [
          { type: "QUICK_REPLY", text: "Later" },
          { type: "URL", text: "Track", url: "https://example.com/t/{{1}}", example: ["https://example.com/t/88"] },
        ],
      },
    ],
  });

  test("create, review, list, read, send, delete", async () => {
    const made = await client.templates.create({ businessAccountId: account, ...definition });
    assert.equal(made.status, "PENDING");
    assert.equal(made.category, "UTILITY");
    await until("approval", () => raw("messageTemplateStatusUpdate").find((v) => v.event === "APPROVED" && String(v.messageTemplateId) === made.id));

    const { data, paging } = await client.templates.list({ businessAccountId: account, name: "parcel_ready", status: "APPROVED", limit: 10 });
    assert.deepEqual(data.map((template) => template.id), [made.id]);
    assert.ok(paging.cursors.before && paging.cursors.after);
    const template = await client.templates.get({ businessAccountId: account, templateId: made.id, fields: "id,name,status,components" });
    assert.equal(template.status, "APPROVED");
    assert.equal(template.components[0].text, "Parcel {{ref}}");

    const payload = buildTemplateSendPayload({
      name: "parcel_ready",
      language: "en_GB",
      header: { type: "text", text: "88", parameterName: "ref" },
      body: [{ type: "text", text: "Ada", parameterName: "first_name" }],
      buttons: [
        { type: "button", subType: "quick_reply", index: 0, parameters: [{ type: "payload", payload: "later" }] },
        { type: "button", subType: "url", index: 1, parameters: [{ type: "text", text: "88" }] },
      ],
    });
    const id = idOf(await client.messages.sendTemplate({ ...to, template: payload }));
    assert.deepEqual((await atWhatsApp(id)).rendered, { header: "Parcel 88", body: "Hi Ada, your parcel is here.", footer: "Demo Ltd", buttons: ["Later", "Track"] });
    await until("delivery", () => statusesOf(id).find((status) => status.status === "delivered"));

    await control("POST", `/sim/v1/templates/${made.id}/quality`, { score: "RED" });
    const paused = await client.messages.sendTemplate({ ...to, template: payload }).then(() => assert.fail("sent while paused"), (error) => error);
    assert.equal(paused.code, 132015);
    await until("pause", () => raw("messageTemplateStatusUpdate").find((v) => v.event === "PAUSED" && v.otherInfo.title === "FIRST_PAUSE"));

    const again = await client.templates.create({ businessAccountId: account, ...definition }).then(() => assert.fail("created twice"), (error) => error);
    assert.equal(again.errorSubcode, 2388024);
    assert.equal((await client.templates.delete({ businessAccountId: account, name: "parcel_ready" })).success, true);
    const absent = await client.templates.delete({ businessAccountId: account, name: "parcel_ready" }).then(() => assert.fail("deleted twice"), (error) => error);
    assert.equal(absent.httpStatus, 404);
    const locked = await client.templates.create({ businessAccountId: account, ...definition }).then(() => assert.fail("name is free"), (error) => error);
    assert.equal(locked.errorSubcode, 2388023);
  });

  test("a carousel and a one-time code", async () => {
    const card = (handle) => ({
      components: [
        { type: "HEADER", format: "IMAGE", example: { headerHandle: [handle] } },
        { type: "BODY", text: "Save {{1}} today.", example: { bodyText: [["10%"]] } },
        { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "More" }] },
      ],
    });
    const carousel = TemplateDefinition.buildTemplateDefinition({
      name: "cards",
      language: "en_US",
      category: "MARKETING",
      components: [{ type: "BODY", text: "Look at this." }, { type: "CAROUSEL", cards: [card("4::aW1hZ2UvcG5n:A"), card("4::aW1hZ2UvcG5n:B")] }],
    });
    const code = TemplateDefinition.buildTemplateDefinition({
      name: "login_code",
      language: "en_US",
      category: "AUTHENTICATION",
      components: [
        { type: "BODY", addSecurityRecommendation: true },
        { type: "FOOTER", codeExpirationMinutes: 10 },
        { type: "BUTTONS", buttons: [{ type: "OTP", otpType: "COPY_CODE", text: "Copy" }] },
      ],
    });
    for (const definition of [carousel, code]) {
      const { id } = await client.templates.create({ businessAccountId: account, ...definition });
      await until("approval", async () => (await client.templates.get({ businessAccountId: account, templateId: id })).status === "APPROVED");
    }
    const cards = buildTemplateSendPayload({
      name: "cards",
      language: "en_US",
      cards: [0, 1].map((cardIndex) => ({
        cardIndex,
        components: [
          { type: "header", parameters: [{ type: "image", image: { link: "https://example.com/a.png" } }] },
          { type: "body", parameters: [{ type: "text", text: `${cardIndex}0%` }] },
          { type: "button", subType: "quick_reply", index: 0, parameters: [{ type: "payload", payload: "more" }] },
        ],
      })),
    });
    const shown = await atWhatsApp(idOf(await client.messages.sendTemplate({ ...to, template: cards })));
    assert.deepEqual(shown.rendered.cards.map((c) => c.body), ["Save 00% today.", "Save 10% today."]);
    const otp = buildTemplateSendPayload({
      name: "login_code",
      language: "en_US",
      body: [{ type: "text", text: "123456" }],
      buttons: [{ type: "button", subType: "url", index: 0, parameters: [{ type: "text", text: "123456" }] }],
    });
    const sent = await atWhatsApp(idOf(await client.messages.sendTemplate({ ...to, template: otp })));
    assert.match(sent.rendered.body, /^\*123456\* is your verification code/);
  });
});

describe("webhooks", () => {
  test("a customer's messages", async () => {
    const wamid = await customerWrites({ type: "text", text: { body: "Grüße 🎉 a/b" } });
    const message = await until("message", () => all("messages").find((m) => m.id === wamid));
    assert.equal(message.text.body, "Grüße 🎉 a/b");
    assert.equal(message.from, amara);
    assert.equal(message.kapso.direction, "inbound");
    const image = await customerWrites({ type: "image", image: { data: picture.toString("base64"), mime_type: "image/png", caption: "Look" } });
    const media = await until("image", () => all("messages").find((m) => m.id === image));
    assert.equal(media.image.caption, "Look");
    assert.deepEqual(Buffer.from(await client.media.download({ mediaId: media.image.id, auth: "always" })), picture);
    const contact = all("contacts").find((c) => c.waId === amara);
    assert.equal(contact.profile.name, "Amara");
  });

  test("statuses carry prices and reasons", async () => {
    const id = idOf(await client.messages.sendTemplate({ ...to, template: { name: "hello_world", language: { code: "en_US" } } }));
    const sent = await until("sent", () => statusesOf(id).find((status) => status.status === "sent"));
    assert.equal(sent.pricing.category, "utility");
    assert.equal(sent.recipientId, amara);
    await control("PUT", `/sim/v1/customers/${amara}`, { on_whatsapp: false });
    const lost = idOf(await client.messages.sendTemplate({ ...to, template: { name: "hello_world", language: { code: "en_US" } } }));
    const failed = await until("failure", () => statusesOf(lost).find((status) => status.status === "failed"));
    assert.equal(failed.errors[0].code, 131026);
    await control("PUT", `/sim/v1/customers/${amara}`, { on_whatsapp: true });
  });
});
