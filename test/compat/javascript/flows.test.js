// Flows: forms that open inside a chat. Meta keeps them, here the simulated WhatsApp.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AccessDeniedByMetaException,
  CreateWhatsAppFlowCommand,
  DeleteWhatsAppFlowCommand,
  DeprecateWhatsAppFlowCommand,
  GetWhatsAppFlowCommand,
  GetWhatsAppFlowPreviewCommand,
  InvalidParametersException,
  ListWhatsAppFlowAssetsCommand,
  ListWhatsAppFlowsCommand,
  PublishWhatsAppFlowCommand,
  ResourceNotFoundException,
  UpdateWhatsAppFlowAssetsCommand,
  UpdateWhatsAppFlowCommand,
  ValidationException,
  paginateListWhatsAppFlows,
} from "@aws-sdk/client-socialmessaging";
import { client, control, foreign, missing, phone, refused, waba } from "./service.js";

const api = client();
const create = (input) => api.send(new CreateWhatsAppFlowCommand({ id: waba.id, categories: ["SURVEY"], ...input }));
const get = (flowId, id = waba.id) => api.send(new GetWhatsAppFlowCommand({ id, flowId }));
const publish = (flowId, id = waba.id) => api.send(new PublishWhatsAppFlowCommand({ id, flowId }));
const status = async (flowId) => (await get(flowId)).flowStatus;

let count = 0;
const unique = (what) => `${what} ${process.pid} ${++count}`;
const survey = (version = "7.0", type = "TextBody") =>
  Buffer.from(
    JSON.stringify({
      version,
      screens: [
        {
          id: "ASK",
          title: "Well?",
          terminal: true,
          layout: {
            type: "SingleColumnLayout",
            children: [
              { type, text: "How was it?" },
              { type: "Footer", label: "Done", "on-click-action": { name: "complete", payload: {} } },
            ],
          },
        },
      ],
    }),
  );
const draft = async (flowJson = survey()) => (await create({ flowName: unique("Draft"), flowJson })).flowId;
const published = async () => {
  const id = await draft();
  await publish(id);
  return id;
};

/** What every operation on one Flow refuses the same way. */
function refusals(call) {
  for (const [what, id] of [["an account nobody has", missing.waba], ["another account's ARN", foreign(waba.arn)]]) {
    test(`ResourceNotFoundException: ${what}`, async () => {
      const error = await refused(call({ id, flowId: "1" }), "ResourceNotFoundException", 404, /no WhatsApp Business Account/);
      assert.ok(error instanceof ResourceNotFoundException);
    });
  }
  test("ResourceNotFoundException: a Flow nobody has", () => refused(call({ id: waba.id, flowId: "4711" }), "ResourceNotFoundException", 404, /4711/));
  test("ResourceNotFoundException: an id of something else", () =>
    refused(call({ id: waba.id, flowId: phone.metaId }), "ResourceNotFoundException", 404, /./));
  test("ValidationException: an id that is not a number", async () => {
    const error = await refused(call({ id: waba.id, flowId: "abc" }), "ValidationException", 400, /'flowId' failed to satisfy constraint/);
    assert.ok(error instanceof ValidationException);
  });
  test("ValidationException: a number's id for the account's", () => refused(call({ id: phone.id, flowId: "1" }), "ValidationException", 400, /'id' failed/));
}

describe("CreateWhatsAppFlow", () => {
  test("makes a draft, and tells what is wrong with its JSON", async () => {
    const { flowId, validationErrors } = await create({ flowName: unique("Broken"), flowJson: survey("7.0", "TextSigh") });
    assert.match(flowId, /^\d+$/);
    assert.equal(validationErrors.length, 1);
    assert.match(validationErrors[0], /^INVALID_PROPERTY_VALUE: .*line 1, column \d+, screens\[0\]\.layout\.children\[0\]\.type/);
    assert.equal(await status(flowId), "DRAFT");
  });
  test("publishes at once when asked to and nothing is wrong", async () => {
    const good = await create({ flowName: unique("Now"), flowJson: survey(), publish: true });
    assert.equal(good.validationErrors, undefined);
    assert.equal(await status(good.flowId), "PUBLISHED");
    const bad = await create({ id: waba.arn, flowName: unique("Later"), flowJson: survey("9.9"), publish: true });
    assert.equal(await status(bad.flowId), "DRAFT");
  });
  test("copies a Flow of the account", async () => {
    const { flowId } = await create({ flowName: unique("Copy"), cloneFlowId: await published() });
    const copy = await get(flowId);
    assert.equal(copy.flowStatus, "DRAFT");
    assert.equal(copy.jsonVersion, "7.0");
  });
  test("InvalidParametersException: a name that is taken", async () => {
    const flowName = unique("Taken");
    await create({ flowName });
    const error = await refused(create({ flowName }), "InvalidParametersException", 400, /name is not unique/);
    assert.ok(error instanceof InvalidParametersException);
  });
  test("ResourceNotFoundException: a copy of nothing", () =>
    refused(create({ flowName: unique("Copy"), cloneFlowId: "4711" }), "ResourceNotFoundException", 404, /4711/));
  test("ResourceNotFoundException: an account nobody has", () =>
    refused(create({ id: missing.waba, flowName: "x" }), "ResourceNotFoundException", 404, /no WhatsApp Business Account/));
  for (const [what, input, message] of [
    ["no name", {}, /'flowName' failed/],
    ["a name that is too long", { flowName: "x".repeat(201) }, /'flowName' failed/],
    ["no categories", { flowName: "x", categories: [] }, /'categories' failed/],
    ["a category that does not exist", { flowName: "x", categories: ["SURVEY", "FUN"] }, /'categories\.2\.member' failed.*enum value set/],
  ]) {
    test(`ValidationException: ${what}`, () => refused(create(input), "ValidationException", 400, message));
  }
});

describe("UpdateWhatsAppFlow", () => {
  const update = (input) => api.send(new UpdateWhatsAppFlowCommand({ id: waba.id, flowName: "x", ...input }));
  test("changes the name, or the categories", async () => {
    const flowId = await draft();
    const flowName = unique("Renamed");
    await update({ flowId, flowName });
    await update({ id: waba.arn, flowId, flowName: undefined, categories: ["OTHER", "SIGN_UP"] });
    const flow = await get(flowId);
    assert.equal(flow.flowName, flowName);
    assert.deepEqual(flow.categories, ["OTHER", "SIGN_UP"]);
  });
  test("InvalidParametersException: nothing to change", () =>
    refused(update({ flowId: "1", flowName: undefined }), "InvalidParametersException", 400, /Nothing to update/));
  refusals(update);
});

describe("UpdateWhatsAppFlowAssets", () => {
  const update = (input) => api.send(new UpdateWhatsAppFlowAssetsCommand({ id: waba.id, flowJson: survey(), ...input }));
  test("replaces the JSON, and makes a published Flow a draft again", async () => {
    const flowId = await published();
    const { validationErrors } = await update({ flowId, flowJson: survey("7.1", "Text") });
    assert.equal(validationErrors.length, 1);
    assert.equal(await status(flowId), "DRAFT");
    assert.equal((await update({ flowId, flowJson: survey("7.1") })).validationErrors, undefined);
    assert.equal((await get(flowId)).jsonVersion, "7.1");
  });
  test("takes a Flow of ten megabytes", async () => {
    const flowJson = Buffer.alloc(10_485_760, " ");
    survey().copy(flowJson);
    assert.equal((await update({ flowId: await draft(), flowJson })).validationErrors, undefined);
  });
  test("ValidationException: more than that", () =>
    refused(update({ flowId: "1", flowJson: Buffer.alloc(10_485_761, " ") }), "ValidationException", 400, /'flowJson' failed/));
  test("InvalidParametersException: a Flow that is deprecated", async () => {
    const flowId = await published();
    await api.send(new DeprecateWhatsAppFlowCommand({ id: waba.id, flowId }));
    await refused(update({ flowId }), "InvalidParametersException", 400, /139001/);
  });
  refusals(update);
});

describe("PublishWhatsAppFlow", () => {
  test("publishes a draft", async () => assert.equal(await status(await published()), "PUBLISHED"));
  test("InvalidParametersException: what is wrong with it, or that it is none", async () => {
    await refused(publish(await draft(survey("7.0", "TextSigh"))), "InvalidParametersException", 400, /validation errors/);
    await refused(publish(await published()), "InvalidParametersException", 400, /Only a Flow with status DRAFT/);
  });
  test("AccessDeniedByMetaException: a Flow that Meta has blocked", async () => {
    const flowId = await draft();
    await control("PATCH", `/sim/v1/flows/${flowId}`, { status: "BLOCKED" });
    const error = await refused(publish(flowId), "AccessDeniedByMetaException", 403, /139000/);
    assert.ok(error instanceof AccessDeniedByMetaException);
  });
  refusals((input) => api.send(new PublishWhatsAppFlowCommand(input)));
});

describe("DeprecateWhatsAppFlow", () => {
  const deprecate = (input) => api.send(new DeprecateWhatsAppFlowCommand(input));
  test("retires a published Flow", async () => {
    const flowId = await published();
    await deprecate({ id: waba.arn, flowId });
    assert.equal(await status(flowId), "DEPRECATED");
    await refused(deprecate({ id: waba.id, flowId }), "InvalidParametersException", 400, /already deprecated/);
  });
  test("InvalidParametersException: a draft", async () =>
    refused(deprecate({ id: waba.id, flowId: await draft() }), "InvalidParametersException", 400, /unpublished/));
  refusals(deprecate);
});

describe("DeleteWhatsAppFlow", () => {
  const remove = (input) => api.send(new DeleteWhatsAppFlowCommand(input));
  test("deletes a draft", async () => {
    const flowId = await draft();
    await remove({ id: waba.arn, flowId });
    await refused(get(flowId), "ResourceNotFoundException", 404, /./);
  });
  test("InvalidParametersException: a published Flow", async () =>
    refused(remove({ id: waba.id, flowId: await published() }), "InvalidParametersException", 400, /published/));
  refusals(remove);
});

describe("GetWhatsAppFlow", () => {
  test("tells everything", async () => {
    const flowId = await published();
    const flow = await get(flowId, waba.arn);
    assert.equal(flow.flowId, flowId);
    assert.equal(flow.jsonVersion, "7.0");
    assert.deepEqual(flow.categories, ["SURVEY"]);
    assert.equal(flow.whatsAppBusinessAccount.id, waba.metaId);
    assert.ok(flow.whatsAppBusinessAccount.messageTemplateNamespace && flow.application.name);
    assert.match(flow.preview.previewUrl, /^https?:\/\//);
    assert.equal(flow.healthStatus.canSendMessage, "AVAILABLE");
    assert.deepEqual(flow.healthStatus.entities.map((e) => e.entityType), ["FLOW", "WABA", "BUSINESS", "APP"]);
  });
  refusals((input) => api.send(new GetWhatsAppFlowCommand(input)));
});

describe("GetWhatsAppFlowPreview", () => {
  const preview = (input) => api.send(new GetWhatsAppFlowPreviewCommand(input));
  test("stays until it is invalidated", async () => {
    const flowId = await draft();
    const first = await preview({ id: waba.id, flowId });
    assert.equal(first.flowId, flowId);
    assert.ok(Date.parse(first.preview.expiresAt.replace("+0000", "Z")) > Date.now() + 29 * 86_400_000, first.preview.expiresAt);
    assert.deepEqual(await preview({ id: waba.arn, flowId, invalidate: false }).then((p) => p.preview), first.preview);
    const second = await preview({ id: waba.id, flowId, invalidate: true });
    assert.notEqual(second.preview.previewUrl, first.preview.previewUrl);
    assert.equal((await fetch(second.preview.previewUrl)).status, 200);
    assert.equal((await fetch(first.preview.previewUrl)).status, 404);
  });
  refusals(preview);
});

describe("ListWhatsAppFlows", () => {
  const list = (input) => api.send(new ListWhatsAppFlowsCommand({ id: waba.id, ...input }));
  test("is walked by the SDK's paginator", async () => {
    const made = [await draft(), await draft(), await draft()];
    const seen = new Map();
    for await (const page of paginateListWhatsAppFlows({ client: api, pageSize: 2 }, { id: waba.arn })) {
      assert.ok(page.flows.length <= 2);
      for (const flow of page.flows) seen.set(flow.flowId, flow);
    }
    for (const id of made) {
      const { flowStatus, flowCategories, validationErrors, flowName } = seen.get(id);
      assert.deepEqual({ flowStatus, flowCategories, validationErrors }, { flowStatus: "DRAFT", flowCategories: ["SURVEY"], validationErrors: [] });
      assert.ok(flowName);
    }
  });
  test("InvalidParametersException: a token it never gave", () => refused(list({ nextToken: "invented" }), "InvalidParametersException", 400, /nextToken/i));
  test("ResourceNotFoundException: an account nobody has", () =>
    refused(list({ id: missing.waba }), "ResourceNotFoundException", 404, /no WhatsApp Business Account/));
  test("ValidationException: maxResults 101", () => refused(list({ maxResults: 101 }), "ValidationException", 400, /'maxResults' failed/));
});

describe("ListWhatsAppFlowAssets", () => {
  const list = (input) => api.send(new ListWhatsAppFlowAssetsCommand(input));
  test("leads to the Flow's JSON", async () => {
    const flowId = await draft();
    const { flowAssets, nextToken } = await list({ id: waba.id, flowId });
    assert.equal(nextToken, undefined);
    assert.deepEqual(flowAssets.map(({ name, assetType }) => ({ name, assetType })), [{ name: "flow.json", assetType: "FLOW_JSON" }]);
    assert.deepEqual(Buffer.from(await (await fetch(flowAssets[0].downloadUrl)).arrayBuffer()), survey());
  });
  test("has none when there is no JSON", async () => {
    const { flowId } = await create({ flowName: unique("Empty") });
    assert.deepEqual((await list({ id: waba.id, flowId })).flowAssets, []);
  });
  refusals(list);
});
