// Message templates. Meta keeps and reviews them, here the simulated WhatsApp.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AccessDeniedByMetaException,
  CreateWhatsAppMessageTemplateCommand,
  CreateWhatsAppMessageTemplateFromLibraryCommand,
  DeleteWhatsAppMessageTemplateCommand,
  DependencyException,
  GetWhatsAppMessageTemplateCommand,
  InvalidParametersException,
  ListWhatsAppMessageTemplatesCommand,
  ListWhatsAppTemplateLibraryCommand,
  ResourceNotFoundException,
  ThrottledRequestException,
  UpdateWhatsAppMessageTemplateCommand,
  ValidationException,
  paginateListWhatsAppMessageTemplates,
  paginateListWhatsAppTemplateLibrary,
} from "@aws-sdk/client-socialmessaging";
import { client, control, foreign, missing, phone, refused, until, waba } from "./service.js";

const api = client();
let count = 0;
const unique = (what) => `${what}_${process.pid}_${++count}`;
const body = "Hi {{1}}, your order {{2}} has left our warehouse today.";
const example = { body_text: [["Ada", "88"]] };
const definition = (changes = {}) => ({ name: unique("order"), language: "en_US", category: "UTILITY", components: [{ type: "BODY", text: body, example }], ...changes });

const create = (template, id = waba.id) =>
  api.send(new CreateWhatsAppMessageTemplateCommand({ id, templateDefinition: Buffer.from(typeof template === "string" ? template : JSON.stringify(template)) }));
const get = (input) => api.send(new GetWhatsAppMessageTemplateCommand({ id: waba.id, ...input }));
const read = async (metaTemplateId) => JSON.parse((await get({ metaTemplateId })).template);
const approved = (id) => until("approval", async () => (await read(id)).status === "APPROVED");
const made = async (template = definition()) => {
  const { metaTemplateId } = await create(template);
  return { id: metaTemplateId, ...template };
};

/** What every operation on a business account refuses the same way. call takes the account's id. */
function refusals(call, edge, method) {
  for (const [what, id] of [["an account nobody has", missing.waba], ["another account's ARN", foreign(waba.arn)]]) {
    test(`ResourceNotFoundException: ${what}`, async () => {
      const error = await refused(call(id), "ResourceNotFoundException", 404, /no WhatsApp Business Account/);
      assert.ok(error instanceof ResourceNotFoundException);
    });
  }
  test("ValidationException: a number's id for the account's", async () => {
    const error = await refused(call(phone.id), "ValidationException", 400, /'id' failed to satisfy constraint/);
    assert.ok(error instanceof ValidationException);
  });
  test("AccessDeniedByMeta-, Dependency- and ThrottledRequestException: Meta refuses, fails, or has had enough", async () => {
    for (const [effect, name, code, type] of [
      [{ code: 190 }, "AccessDeniedByMetaException", 403, AccessDeniedByMetaException],
      [{ code: 2 }, "DependencyException", 502, DependencyException],
      [{ code: 80007 }, "ThrottledRequestException", 429, ThrottledRequestException],
    ]) {
      await control("PUT", "/sim/v1/faults", { rules: [{ match: { method, edge }, when: { next: 1 }, effect }] });
      const error = await refused(call(waba.id), name, code, /Meta/);
      assert.ok(error instanceof type);
    }
    await control("DELETE", "/sim/v1/faults");
  });
}

describe("CreateWhatsAppMessageTemplate", () => {
  test("submits a template, which Meta reviews", async () => {
    const { metaTemplateId, templateStatus, category, $metadata } = await create(definition(), waba.arn);
    assert.equal($metadata.httpStatusCode, 200);
    assert.match(metaTemplateId, /^\d+$/);
    assert.deepEqual([templateStatus, category], ["PENDING", "UTILITY"]);
    await approved(metaTemplateId);
  });
  test("takes every component", async () => {
    const { metaTemplateId } = await create(
      definition({
        category: "marketing",
        components: [
          { type: "HEADER", format: "TEXT", text: "Sale {{1}}", example: { header_text: ["today"] } },
          { type: "BODY", text: body, example },
          { type: "FOOTER", text: "Demo Ltd" },
          {
            type: "BUTTONS",
            buttons: [
              { type: "URL", text: "Shop", url: "https://example.com/{{1}}", example: ["https://example.com/sale"] },
              { type: "PHONE_NUMBER", text: "Call", phone_number: "+15550100123" },
              { type: "QUICK_REPLY", text: "Stop" },
            ],
          },
        ],
      }),
    );
    const template = await read(metaTemplateId);
    assert.deepEqual(
      template.components.map((c) => c.type),
      ["HEADER", "BODY", "FOOTER", "BUTTONS"],
    );
  });
  test("makes one template of a call that the SDK repeats", async () => {
    const template = definition();
    await control("PUT", "/sim/v1/faults", { rules: [{ match: { method: "POST", edge: "message_templates" }, when: { next: 1 }, effect: { cut: "after" } }] });
    const retrying = client({ maxAttempts: 3 });
    const { metaTemplateId, $metadata } = await retrying.send(
      new CreateWhatsAppMessageTemplateCommand({ id: waba.id, templateDefinition: Buffer.from(JSON.stringify(template)) }),
    );
    assert.equal($metadata.attempts, 2);
    assert.equal((await read(metaTemplateId)).name, template.name);
  });
  test("InvalidParametersException: everything that Meta would refuse, and how to mend it", async () => {
    const error = await refused(
      create(definition({ name: "Order-Update", components: [{ type: "BODY", text: "{{1}}, your order #{{3}} is {{$2}}" }, { type: "FOOTER", text: "x".repeat(61) }] })),
      "InvalidParametersException",
      400,
      /name: .*order_update/,
    );
    assert.ok(error instanceof InvalidParametersException);
    for (const wrong of [/components\[0\]\.text: starts with a variable/, /special character/, /components\[1\]\.text: has 61 characters/]) assert.match(error.message, wrong);
  });
  test("InvalidParametersException: a name that is taken", async () => {
    const template = definition();
    await create(template);
    await refused(create(template), "InvalidParametersException", 400, /already/i);
  });
  for (const [what, template] of [["no JSON", "hello"], ["an array", "[]"]]) {
    test(`InvalidParametersException: ${what}`, () => refused(create(template), "InvalidParametersException", 400, /JSON/));
  }
  test("ValidationException: a definition of more than 6000 bytes", () => refused(create("x".repeat(6001)), "ValidationException", 400, /'templateDefinition' failed/));
  test("ValidationException: no definition", () =>
    refused(api.send(new CreateWhatsAppMessageTemplateCommand({ id: waba.id })), "ValidationException", 400, /'templateDefinition' failed/));
  refusals((id) => create(definition(), id), "message_templates", "POST");
});

describe("GetWhatsAppMessageTemplate", () => {
  test("by id, and by name and language", async () => {
    const { id, name } = await made();
    for (const input of [
      { metaTemplateId: id },
      { templateName: name, templateLanguageCode: "en_US" },
      { id: waba.arn, metaTemplateId: id, templateName: name, templateLanguageCode: "en_US" },
    ]) {
      const { template } = await get(input);
      assert.equal(typeof template, "string");
      const found = JSON.parse(template);
      assert.deepEqual([found.id, found.name, found.language, found.category, found.components[0].text], [id, name, "en_US", "UTILITY", body]);
    }
  });
  test("InvalidParametersException: neither way, or two that disagree", async () => {
    const { id } = await made();
    for (const input of [{}, { templateName: "statement" }, { templateLanguageCode: "en_US" }, { metaTemplateId: id, templateName: "statement" }])
      await refused(get(input), "InvalidParametersException", 400, /templateName|another one/);
  });
  for (const [what, input] of [
    ["an id nobody has", { metaTemplateId: "4711" }],
    ["an id of something else", { metaTemplateId: phone.metaId }],
    ["a name nobody has", { templateName: "nothing", templateLanguageCode: "en_US" }],
    ["another language", { templateName: "statement", templateLanguageCode: "de" }],
  ]) {
    test(`ResourceNotFoundException: ${what}`, () => refused(get(input), "ResourceNotFoundException", 404, /./));
  }
  test("ValidationException: an id that is not a number", () => refused(get({ metaTemplateId: "abc" }), "ValidationException", 400, /'metaTemplateId' failed/));
  refusals((id) => get({ id, templateName: "statement", templateLanguageCode: "en_US" }), "message_templates", "GET");
});

describe("ListWhatsAppMessageTemplates", () => {
  const list = (input) => api.send(new ListWhatsAppMessageTemplatesCommand({ id: waba.id, ...input }));
  test("lists what the account has", async () => {
    const { templates } = await list();
    const statement = templates.find((t) => t.templateName === "statement");
    assert.match(statement.metaTemplateId, /^\d+$/);
    assert.deepEqual(
      { ...statement, metaTemplateId: undefined },
      {
        templateName: "statement",
        metaTemplateId: undefined,
        templateStatus: "APPROVED",
        templateQualityScore: "UNKNOWN",
        templateLanguage: "en_US",
        templateCategory: "UTILITY",
      },
    );
  });
  test("is walked by the SDK's paginator", async () => {
    const names = new Set();
    let pages = 0;
    for await (const { templates } of paginateListWhatsAppMessageTemplates({ client: api, pageSize: 2 }, { id: waba.arn })) {
      assert.ok(templates.length <= 2);
      for (const t of templates) names.add(t.templateName);
      pages++;
    }
    assert.ok(pages >= 2 && ["hello_world", "statement", "simple_template"].every((name) => names.has(name)), `${pages} pages: ${[...names]}`);
  });
  test("InvalidParametersException: a token it never gave", () => refused(list({ nextToken: "invented" }), "InvalidParametersException", 400, /nextToken/));
  test("ValidationException: a page that is too long", () => refused(list({ maxResults: 101 }), "ValidationException", 400, /'maxResults' failed/));
  refusals((id) => list({ id }), "message_templates", "GET");
});

describe("UpdateWhatsAppMessageTemplate", () => {
  const update = (input) => api.send(new UpdateWhatsAppMessageTemplateCommand({ id: waba.id, ...input }));
  const components = (text) => Buffer.from(JSON.stringify([{ type: "BODY", text }]));
  test("changes components, by id or by name and language", async () => {
    for (const by of [(t) => ({ metaTemplateId: t.id }), (t) => ({ id: waba.arn, templateName: t.name, templateLanguageCode: t.language })]) {
      const template = await made();
      await approved(template.id);
      const { $metadata } = await update({ ...by(template), templateComponents: components("Your order has been delivered.") });
      assert.equal($metadata.httpStatusCode, 200);
      assert.equal((await read(template.id)).components[0].text, "Your order has been delivered.");
      await approved(template.id);
    }
  });
  test("changes category, format and tracking of links", async () => {
    await control("PUT", "/sim/v1/settings", { auto_approve: false });
    try {
      const { id } = await made();
      await control("POST", `/sim/v1/templates/${id}/review`, { decision: "REJECTED", reason: "INCORRECT_CATEGORY" });
      await update({ metaTemplateId: id, templateCategory: "marketing", ctaUrlLinkTrackingOptedOut: true });
      const template = await read(id);
      assert.deepEqual([template.category, template.status, template.cta_url_link_tracking_opted_out], ["MARKETING", "PENDING", true]);
      await control("POST", `/sim/v1/templates/${id}/review`, { decision: "REJECTED", reason: "INVALID_FORMAT" });
      await update({
        metaTemplateId: id,
        parameterFormat: "named",
        templateComponents: Buffer.from(
          JSON.stringify([
            {
              type: "BODY",
              text: "Hi {{first_name}}, your order is on its way.",
              example: { body_text_named_params: [{ param_name: "first_name", example: "Ada" }] },
            },
          ]),
        ),
      });
      assert.equal((await read(id)).parameter_format, "NAMED");
    } finally {
      await control("PUT", "/sim/v1/settings", { auto_approve: true });
    }
  });
  test("InvalidParametersException: what Meta would refuse", async () => {
    const { id } = await made();
    const error = await refused(update({ metaTemplateId: id, templateComponents: components("{{1}} hello there") }), "InvalidParametersException", 400, /starts with a variable/);
    assert.ok(error instanceof InvalidParametersException);
  });
  test("InvalidParametersException: one that is in review", async () => {
    await control("PUT", "/sim/v1/settings", { auto_approve: false });
    const { id } = await made();
    await control("PUT", "/sim/v1/settings", { auto_approve: true });
    await refused(update({ metaTemplateId: id, templateComponents: components("Thank you very much.") }), "InvalidParametersException", 400, /Meta refused/);
  });
  for (const [what, input, message] of [
    ["nothing to change", { metaTemplateId: "1" }, /nothing to change/],
    ["no template", { templateCategory: "UTILITY" }, /metaTemplateId/],
    ["an unknown format", { metaTemplateId: "1", parameterFormat: "both" }, /parameterFormat/],
  ]) {
    test(`InvalidParametersException: ${what}`, () => refused(update(input), "InvalidParametersException", 400, message));
  }
  test("ResourceNotFoundException: an id nobody has", () => refused(update({ metaTemplateId: "4711", templateCategory: "UTILITY" }), "ResourceNotFoundException", 404, /./));
  test("ValidationException: components of more than 3000 bytes", () =>
    refused(update({ metaTemplateId: "1", templateComponents: Buffer.alloc(3001, "x") }), "ValidationException", 400, /'templateComponents' failed/));
  refusals((id) => update({ id, templateName: "statement", templateLanguageCode: "en_US", templateCategory: "UTILITY" }), "message_templates", "GET");
});

describe("DeleteWhatsAppMessageTemplate", () => {
  const remove = (input) => api.send(new DeleteWhatsAppMessageTemplateCommand({ id: waba.id, ...input }));
  test("deletes one language", async () => {
    const english = await made();
    const german = await made({ ...definition(), name: english.name, language: "de" });
    const { $metadata } = await remove({ templateName: english.name, metaTemplateId: german.id });
    assert.equal($metadata.httpStatusCode, 200);
    await refused(get({ metaTemplateId: german.id }), "ResourceNotFoundException", 404, /./);
    assert.equal((await read(english.id)).language, "en_US");
  });
  test("deletes all languages", async () => {
    const english = await made();
    const german = await made({ ...definition(), name: english.name, language: "de" });
    await remove({ id: waba.arn, templateName: english.name, deleteAllLanguages: true });
    for (const { id } of [english, german]) await refused(get({ metaTemplateId: id }), "ResourceNotFoundException", 404, /./);
  });
  test("InvalidParametersException: neither one nor all, or both", async () => {
    for (const input of [{}, { deleteAllLanguages: false }, { metaTemplateId: "1", deleteAllLanguages: true }])
      await refused(remove({ templateName: "statement", ...input }), "InvalidParametersException", 400, /deleteAllLanguages/);
  });
  test("ResourceNotFoundException: a name nobody has", () =>
    refused(remove({ templateName: "nothing", deleteAllLanguages: true }), "ResourceNotFoundException", 404, /./));
  test("ResourceNotFoundException: an id of another name", async () => {
    const { id } = await made();
    await refused(remove({ templateName: "statement", metaTemplateId: id }), "ResourceNotFoundException", 404, /./);
  });
  test("ValidationException: no name", () => refused(remove({ templateName: undefined, deleteAllLanguages: true }), "ValidationException", 400, /'templateName' failed/));
  refusals((id) => remove({ id, templateName: "nothing", deleteAllLanguages: true }), "message_templates", "DELETE");
});

describe("ListWhatsAppTemplateLibrary", () => {
  const list = (input) => api.send(new ListWhatsAppTemplateLibraryCommand({ id: waba.id, ...input }));
  test("describes templates", async () => {
    const { metaLibraryTemplates } = await list({ filters: { searchKey: "delivery_update_1", language: "en_US" } });
    const [found] = metaLibraryTemplates;
    assert.deepEqual(
      [found.templateName, found.templateLanguage, found.templateCategory, found.templateTopic, found.templateUseCase, found.templateIndustry],
      ["delivery_update_1", "en_US", "UTILITY", "ORDER_MANAGEMENT", "DELIVERY_UPDATE", ["E_COMMERCE"]],
    );
    assert.match(found.templateId, /^\d+$/);
    assert.match(found.templateBody, /\{\{1\}\}/);
    assert.equal(found.templateBodyExampleParams.length, 3);
    assert.equal(found.templateButtons[0].type, "URL");
    assert.match(found.templateButtons[0].url, /^https:/);
  });
  for (const [key, value, member] of [
    ["topic", "PAYMENTS", "templateTopic"],
    ["usecase", "FRAUD_ALERT", "templateUseCase"],
    ["language", "es", "templateLanguage"],
  ]) {
    test(`filters by ${key}`, async () => {
      const { metaLibraryTemplates } = await list({ filters: { [key]: value } });
      assert.ok(metaLibraryTemplates.length > 0 && metaLibraryTemplates.every((t) => t[member] === value));
    });
  }
  test("filters by industry", async () => {
    const { metaLibraryTemplates } = await list({ filters: { industry: "FINANCIAL_SERVICES" } });
    assert.ok(metaLibraryTemplates.length > 0 && metaLibraryTemplates.every((t) => t.templateIndustry.includes("FINANCIAL_SERVICES")));
  });
  test("is walked by the SDK's paginator, whose tokens travel in the body", async () => {
    const ids = [];
    for await (const page of paginateListWhatsAppTemplateLibrary({ client: api, pageSize: 5 }, { id: waba.arn, filters: { topic: "PAYMENTS" } }))
      ids.push(...page.metaLibraryTemplates.map((t) => t.templateId));
    assert.ok(ids.length > 5 && new Set(ids).size === ids.length, `${ids}`);
  });
  test("InvalidParametersException: a filter that does not exist", () => refused(list({ filters: { colour: "red" } }), "InvalidParametersException", 400, /colour/));
  test("InvalidParametersException: a token of other filters", async () => {
    const { nextToken } = await list({ maxResults: 1, filters: { topic: "PAYMENTS" } });
    await refused(list({ maxResults: 1, filters: { topic: "ORDER_MANAGEMENT" }, nextToken }), "InvalidParametersException", 400, /nextToken/);
  });
  test("ValidationException: too many filters, or long ones", async () => {
    await refused(list({ filters: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, "v"])) }), "ValidationException", 400, /'filters' failed/);
    await refused(list({ filters: { searchKey: "x".repeat(101) } }), "ValidationException", 400, /'filters.searchKey' failed/);
  });
  refusals((id) => list({ id }), "message_template_library", "GET");
});

describe("CreateWhatsAppMessageTemplateFromLibrary", () => {
  const choice = (changes) => ({
    templateName: unique("delivery"),
    libraryTemplateName: "delivery_update_1",
    templateCategory: "UTILITY",
    templateLanguage: "en_US",
    libraryTemplateButtonInputs: [{ type: "URL", url: { base_url: "https://example.org/{{1}}", url_suffix_example: "https://example.org/demo" } }],
    ...changes,
  });
  const choose = (metaLibraryTemplate, id = waba.id) => api.send(new CreateWhatsAppMessageTemplateFromLibraryCommand({ id, metaLibraryTemplate }));
  test("makes a template of one of Meta's", async () => {
    const chosen = choice({ libraryTemplateBodyInputs: { addTrackPackageLink: true } });
    const { metaTemplateId, templateStatus, category } = await choose(chosen, waba.arn);
    assert.deepEqual([templateStatus, category], ["APPROVED", "UTILITY"]);
    const template = await read(metaTemplateId);
    assert.equal(template.name, chosen.templateName);
    assert.match(template.components.find((c) => c.type === "BODY").text, /Use the link below/);
    assert.equal(template.components.find((c) => c.type === "BUTTONS").buttons[0].url, "https://example.org/{{1}}");
  });
  test("takes the keys of maps in AWS's spelling, too", async () => {
    const inputs = [{ type: "URL", url: { baseUrl: "https://example.org/{{1}}", urlSuffixExample: "https://example.org/demo" } }];
    await choose(choice({ libraryTemplateButtonInputs: inputs }));
  });
  test("makes a template for one-time passwords", async () => {
    const { category } = await choose(
      choice({
        libraryTemplateName: "verification_code_1",
        templateCategory: "AUTHENTICATION",
        libraryTemplateButtonInputs: [{ type: "OTP", otpType: "ONE_TAP", supportedApps: [{ packageName: "org.example.app", signatureHash: "K8a/AINcGX7" }] }],
        libraryTemplateBodyInputs: { addSecurityRecommendation: true, codeExpirationMinutes: 5 },
      }),
    );
    assert.equal(category, "AUTHENTICATION");
  });
  test("InvalidParametersException: a template the library does not have", async () => {
    const error = await refused(choose(choice({ libraryTemplateName: "nothing" })), "InvalidParametersException", 400, /nothing/);
    assert.ok(error instanceof InvalidParametersException);
  });
  test("ValidationException: members that are missing", async () => {
    await refused(choose({}), "ValidationException", 400, /4 validation errors/);
    await refused(choose(undefined), "ValidationException", 400, /'metaLibraryTemplate' failed/);
  });
  refusals((id) => choose(choice(), id), "message_templates", "POST");
});
