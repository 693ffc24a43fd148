// whatsapp-api-js against the simulated WhatsApp: its sending, media, template and webhook paths. The library knows no other host
// than Meta's, so it gets a fetch that goes to the simulator instead.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WhatsAppAPI } from "whatsapp-api-js";
import * as messages from "whatsapp-api-js/messages";
import { accessToken, account, amara, app, appSecret, atWhatsApp, control, customerWrites, number, picture, simulator, until, verifyToken, version } from "./simulator.js";

const elsewhere = (url, init) => fetch(String(url).replace("https://graph.facebook.com", simulator), init);
const api = new WhatsAppAPI({ token: accessToken, appSecret, webhookVerifyToken: verifyToken, v: version, ponyfill: { fetch: elsewhere } });
const received = [];
const statuses = [];
let close;

before(async () => {
  api.on.message = (args) => received.push(args);
  api.on.status = (args) => statuses.push(args);
  close = await app(
    (query) => api.get(query),
    async (raw, signature) => {
      await assert.rejects(api.post(JSON.parse(raw), String(raw), "sha256=" + "0".repeat(64)));
      for (const update of updates(JSON.parse(raw))) await api.post(update, String(raw), signature);
    },
  );
});
after(() => close());

/** The updates about messages in a callback, one each: the library reads only the first, and WhatsApp may send many at once. */
function* updates({ object, entry }) {
  for (const { id, changes } of entry)
    for (const { field, value } of changes)
      for (const list of value.metadata ? ["messages", "statuses"] : [])
        for (const item of value[list] ?? []) {
          const { messages: _, statuses: __, ...rest } = value;
          yield { object, entry: [{ id, changes: [{ field, value: { ...rest, [list]: [item] } }] }] };
        }
}

const recipient = { phone: amara };
const accepted = (answer) => {
  assert.ok(answer.messages, JSON.stringify(answer));
  assert.equal(answer.contacts[0].wa_id, amara);
  assert.match(answer.messages[0].id, /^wamid\./);
  return answer.messages[0].id;
};
const statusOf = (id, name) => until(`${name} of ${id}`, () => statuses.find((s) => s.id === id && s.status === name));

describe("messages", () => {
  before(() => customerWrites({ type: "text", text: { body: "Hello" } }));

  const link = "https://example.com/file";
  const kinds = {
    text: new messages.Text("Hi 👋", true),
    image: new messages.Image(link, false, "A picture"),
    audio: new messages.Audio(link),
    document: new messages.Document(link, false, "Terms", "terms.pdf"),
    video: new messages.Video(link),
    sticker: new messages.Sticker(link),
    location: new messages.Location(-122.3, 47.6, "Home", "Main Street"),
    contacts: new messages.Contacts([new messages.Name("Ada Lovelace", "Ada"), new messages.Phone("+14255550199")]),
    buttons: new messages.Interactive(new messages.ActionButtons(new messages.Button("y", "Yes"), new messages.Button("n", "No")), new messages.Body("Well?")),
    list: new messages.Interactive(
      new messages.ActionList("Choose", new messages.ListSection("All", new messages.Row("1", "One"), new messages.Row("2", "Two"))),
      new messages.Body("Pick one"),
      new messages.Header("Things"),
      new messages.Footer("Ltd"),
    ),
    link: new messages.Interactive(new messages.ActionCTA("Open", link), new messages.Body("Read on")),
  };
  for (const [kind, message] of Object.entries(kinds)) {
    test(kind, async () => {
      const id = accepted(await api.sendMessage(number, recipient, message, undefined, `tracked-${kind}`));
      const delivered = await statusOf(id, "delivered");
      assert.equal(delivered.biz_opaque_callback_data, `tracked-${kind}`);
      assert.equal(delivered.recipient.phone, amara);
    });
  }

  test("reaction, reply, mark as read, typing", async () => {
    const wamid = await customerWrites({ type: "text", text: { body: "Are you there?" } });
    accepted(await api.sendMessage(number, recipient, new messages.Reaction(wamid, "👍")));
    const { body } = await atWhatsApp(accepted(await api.sendMessage(number, recipient, new messages.Text("Yes"), wamid)));
    assert.equal(body.context.message_id, wamid);
    assert.deepEqual(await api.markAsRead(number, wamid, "text"), { success: true });
  });

  test("a refusal", async () => {
    const { error } = await api.sendMessage(number, recipient, new messages.Template("nope", "en_US"));
    assert.equal(error.code, 132001);
    assert.equal(error.error_data.details, "template name (nope) does not exist in en_US");
  });
});

describe("media", () => {
  test("upload, read, fetch, send, delete", async () => {
    const form = new FormData();
    form.set("file", new Blob([picture], { type: "image/png" }), "dot.png");
    const { id } = await api.uploadMedia(number, form);
    const about = await api.retrieveMedia(id, number);
    assert.equal(about.mime_type, "image/png");
    const response = await api.fetchMedia(about.url);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), picture);
    accepted(await api.sendMessage(number, recipient, new messages.Image(id, true)));
    assert.deepEqual(await api.deleteMedia(id, number), { success: true });
    assert.equal((await api.retrieveMedia(id)).error.error_subcode, 33);
  });
});

describe("templates", () => {
  const graph = async (path, body) => {
    const response = await api.$$apiFetch$$(`https://graph.facebook.com/${version}/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.clone().text());
    return response.json();
  };
  const create = async (name, category, components, more = {}) => {
    const { id } = await graph(`${account}/message_templates`, { name, language: "en_US", category, components, ...more });
    await until("approval", async () => (await control("GET", `/sim/v1/templates/${id}`)).status === "APPROVED");
  };
  const { Template, BodyComponent, BodyParameter, HeaderComponent, HeaderParameter, PayloadComponent, SkipButtonComponent, URLComponent, CopyComponent } = messages;

  test("parameters, header media and buttons", async () => {
    await create("order", "UTILITY", [
      { type: "HEADER", format: "IMAGE", example: { header_handle: ["4::aW1hZ2UvcG5n:A"] } },
      { type: "BODY", text: "Hello {{1}}, you owe {{2}} for it.", example: { body_text: [["Ada", "$9"]] } },
      {
        type: "BUTTONS",
        buttons: [
          { type: "QUICK_REPLY", text: "Later" },
          { type: "QUICK_REPLY", text: "Never" },
          { type: "URL", text: "Track", url: "https://example.com/{{1}}", example: ["https://example.com/8"] },
          { type: "COPY_CODE", example: "HALF" },
        ],
      },
    ]);
    const template = new Template(
      "order",
      "en_US",
      new HeaderComponent(new HeaderParameter(new messages.Image("https://example.com/a.png"))),
      new BodyComponent(new BodyParameter("Ada"), new BodyParameter(new messages.Currency(9000, "USD", "$9"))),
      new PayloadComponent("later"),
      new SkipButtonComponent(),
      new URLComponent("88"),
      new CopyComponent("HALF"),
    );
    const id = accepted(await api.sendMessage(number, recipient, template));
    assert.equal((await atWhatsApp(id)).rendered.body, "Hello Ada, you owe $9 for it.");
    assert.equal((await statusOf(id, "sent")).pricing.category, "utility");
    const short = await api.sendMessage(number, recipient, new Template("order", "en_US", new HeaderComponent(new HeaderParameter(new messages.Image("https://example.com/a.png"))), new BodyComponent(new BodyParameter("Ada"))));
    assert.equal(short.error.code, 132000);
    assert.equal(short.error.error_data.details, "body: number of localizable_params (1) does not match the expected number of params (2)");
  });

  test("named parameters", async () => {
    await create("named", "UTILITY", [{ type: "BODY", text: "Hello {{first_name}}, welcome.", example: { body_text_named_params: [{ param_name: "first_name", example: "Ada" }] } }], { parameter_format: "NAMED" });
    const id = accepted(await api.sendMessage(number, recipient, new Template("named", "en_US", new BodyComponent(new BodyParameter("Ada", "first_name")))));
    assert.equal((await atWhatsApp(id)).rendered.body, "Hello Ada, welcome.");
    assert.equal((await api.sendMessage(number, recipient, new Template("named", "en_US", new BodyComponent(new BodyParameter("Ada", "name"))))).error.code, 132000);
  });

  test("a one-time code", async () => {
    await create("code", "AUTHENTICATION", [{ type: "BODY" }, { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE" }] }]);
    const id = accepted(await api.sendMessage(number, recipient, Template.OTP("code", "en_US", "123456")));
    assert.match((await atWhatsApp(id)).rendered.body, /123456/);
    assert.equal((await api.sendMessage(number, { bsuid: "GB.1" }, Template.OTP("code", "en_US", "123456"))).error.code, 131062);
  });
});

describe("webhooks", () => {
  test("a customer's messages, answered", async () => {
    const wamid = await customerWrites({ type: "text", text: { body: "Grüße 🎉 a/b" } });
    const { message, contact, reply, received: read } = await until("message", () => received.find((r) => r.message.id === wamid));
    assert.equal(message.text.body, "Grüße 🎉 a/b");
    assert.equal(contact.wa_id, amara);
    assert.equal(contact.profile.name, "Amara");
    assert.deepEqual(await read("text"), { success: true });
    await statusOf(accepted(await reply(new messages.Text("Welcome"), true)), "delivered");
  });

  test("a failure and its reason", async () => {
    await control("PUT", `/sim/v1/customers/${amara}`, { on_whatsapp: false });
    const id = accepted(await api.sendMessage(number, recipient, new messages.Template("hello_world", "en_US")));
    assert.equal((await statusOf(id, "failed")).error.code, 131026);
    await control("PUT", `/sim/v1/customers/${amara}`, { on_whatsapp: true });
  });
});
