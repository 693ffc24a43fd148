// Linked accounts, their numbers and their event destinations.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  GetLinkedWhatsAppBusinessAccountCommand,
  GetLinkedWhatsAppBusinessAccountPhoneNumberCommand,
  InvalidParametersException,
  ListLinkedWhatsAppBusinessAccountsCommand,
  PutWhatsAppBusinessAccountEventDestinationsCommand,
  ResourceNotFoundException,
  ValidationException,
  paginateListLinkedWhatsAppBusinessAccounts,
} from "@aws-sdk/client-socialmessaging";
import { client, foreign, missing, phone, refused, topicArn, waba } from "./service.js";

const api = client();

describe("ListLinkedWhatsAppBusinessAccounts", () => {
  const list = (input) => api.send(new ListLinkedWhatsAppBusinessAccountsCommand(input));

  test("lists the linked account", async () => {
    const { linkedAccounts, nextToken, $metadata } = await list({});
    assert.equal($metadata.httpStatusCode, 200);
    assert.equal(nextToken, undefined);
    const [found] = linkedAccounts;
    assert.deepEqual(
      { id: found.id, arn: found.arn, wabaId: found.wabaId, registrationStatus: found.registrationStatus, eventDestinations: found.eventDestinations },
      { id: waba.id, arn: waba.arn, wabaId: waba.metaId, registrationStatus: "COMPLETE", eventDestinations: [{ eventDestinationArn: topicArn }] },
    );
    assert.ok(found.linkDate instanceof Date && Math.abs(Date.now() - found.linkDate) < 600_000, `linkDate ${found.linkDate}`);
  });
  test("is walked by the SDK's paginator", async () => {
    const ids = [];
    for await (const page of paginateListLinkedWhatsAppBusinessAccounts({ client: api, pageSize: 1 }, {})) {
      ids.push(...page.linkedAccounts.map((a) => a.id));
    }
    assert.deepEqual(ids, [waba.id]);
  });
  for (const maxResults of [0, 101]) {
    test(`ValidationException: maxResults ${maxResults}`, async () => {
      const error = await refused(list({ maxResults }), "ValidationException", 400, /'maxResults' failed to satisfy constraint/);
      assert.ok(error instanceof ValidationException);
    });
  }
  test("InvalidParametersException: a token it never gave", async () => {
    const error = await refused(list({ nextToken: "invented" }), "InvalidParametersException", 400, /nextToken/i);
    assert.ok(error instanceof InvalidParametersException);
  });
});

describe("GetLinkedWhatsAppBusinessAccount", () => {
  const get = (id) => api.send(new GetLinkedWhatsAppBusinessAccountCommand({ id }));

  for (const [form, id] of [["id", waba.id], ["ARN", waba.arn]]) {
    test(`by ${form}`, async () => {
      const { account } = await get(id);
      assert.equal(account.id, waba.id);
      assert.equal(account.arn, waba.arn);
      assert.equal(account.wabaId, waba.metaId);
      const [number] = account.phoneNumbers;
      assert.equal(number.phoneNumberId, phone.id);
      assert.equal(number.arn, phone.arn);
      assert.equal(number.metaPhoneNumberId, phone.metaId);
      assert.equal(number.phoneNumber, phone.number);
      assert.equal(number.qualityRating, "GREEN");
    });
  }
  for (const [what, id] of [["an id nobody has", missing.waba], ["another account's ARN", foreign(waba.arn)], ["another Region's ARN", waba.arn.replace("us-east-1", "eu-west-1")]]) {
    test(`ResourceNotFoundException: ${what}`, async () => {
      const error = await refused(get(id), "ResourceNotFoundException", 404, /no WhatsApp Business Account/);
      assert.ok(error instanceof ResourceNotFoundException);
    });
  }
  for (const [what, id] of [["a phone number's id", phone.id], ["Meta's id", waba.metaId], ["too long", "waba-" + "0".repeat(111)]]) {
    test(`ValidationException: ${what}`, () => refused(get(id), "ValidationException", 400, /'id' failed to satisfy constraint/));
  }
});

describe("GetLinkedWhatsAppBusinessAccountPhoneNumber", () => {
  const get = (id) => api.send(new GetLinkedWhatsAppBusinessAccountPhoneNumberCommand({ id }));

  for (const [form, id] of [["id", phone.id], ["ARN", phone.arn]]) {
    test(`by ${form}`, async () => {
      const { phoneNumber, linkedWhatsAppBusinessAccountId } = await get(id);
      assert.equal(linkedWhatsAppBusinessAccountId, waba.id);
      assert.equal(phoneNumber.phoneNumberId, phone.id);
      assert.equal(phoneNumber.arn, phone.arn);
      assert.equal(phoneNumber.phoneNumber, phone.number);
    });
  }
  for (const [what, id] of [["an id nobody has", missing.phone], ["another account's ARN", foreign(phone.arn)]]) {
    test(`ResourceNotFoundException: ${what}`, () => refused(get(id), "ResourceNotFoundException", 404, /phone number/i));
  }
  test("ValidationException: a business account's id", () =>
    refused(get(waba.id), "ValidationException", 400, /'id' failed to satisfy constraint/));
});

describe("PutWhatsAppBusinessAccountEventDestinations", () => {
  const put = (id, ...arns) =>
    api.send(new PutWhatsAppBusinessAccountEventDestinationsCommand({ id, eventDestinations: arns.map((eventDestinationArn) => ({ eventDestinationArn })) }));

  test("sets and keeps the destination, by id and by ARN", async () => {
    await put(waba.id, topicArn);
    await put(waba.arn, topicArn);
    const { account } = await api.send(new GetLinkedWhatsAppBusinessAccountCommand({ id: waba.id }));
    assert.deepEqual(account.eventDestinations, [{ eventDestinationArn: topicArn }]);
  });
  for (const [what, arn, message] of [
    ["a FIFO topic", topicArn + ".fifo", /FIFO/],
    ["a foreign Region", topicArn.replace("us-east-1", "eu-west-1"), /same Region/],
    ["another account's topic", foreign(topicArn), /belong to this account/],
    ["a queue", topicArn.replace(":sns:", ":sqs:"), /neither an SNS topic nor/],
    ["a Connect instance without a role", "arn:aws:connect:us-east-1:000000000000:instance/00000000-0000-0000-0000-000000000000", /roleArn is required/],
  ]) {
    test(`InvalidParametersException: ${what}`, () => refused(put(waba.id, arn), "InvalidParametersException", 400, message));
  }
  test("ValidationException: two destinations", () =>
    refused(put(waba.id, topicArn, topicArn), "ValidationException", 400, /'eventDestinations' failed to satisfy constraint/));
  test("ValidationException: no list", () =>
    refused(api.send(new PutWhatsAppBusinessAccountEventDestinationsCommand({ id: waba.id })), "ValidationException", 400, /eventDestinations/));
  test("an account nobody has is refused with the error of the model that fits", () =>
    refused(put(missing.waba, topicArn), "InvalidParametersException", 400, /no WhatsApp Business Account/));
});
