// Linking and unlinking a business account, as its story goes. It has a node and a simulated WhatsApp of its own, because it
// changes what is linked.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AssociateWhatsAppBusinessAccountCommand,
  DependencyException,
  DisassociateWhatsAppBusinessAccountCommand,
  GetLinkedWhatsAppBusinessAccountCommand,
  InvalidParametersException,
  ListLinkedWhatsAppBusinessAccountsCommand,
  ListTagsForResourceCommand,
  SendWhatsAppMessageCommand,
} from "@aws-sdk/client-socialmessaging";
import { client, foreign, missing, refused, signUpEndpoint, signUpSimulator, topicArn, waba } from "./service.js";

const api = client({ endpoint: signUpEndpoint });
const associate = (input) => api.send(new AssociateWhatsAppBusinessAccountCommand(input));
const disassociate = (id) => api.send(new DisassociateWhatsAppBusinessAccountCommand({ id }));
const begin = (accessToken) => associate({ signupCallback: { accessToken } });
const finish = (associateInProgressToken, phoneNumbers, rest) => associate({ setupFinalization: { associateInProgressToken, phoneNumbers, ...rest } });
const linked = async () => (await api.send(new ListLinkedWhatsAppBusinessAccountsCommand({}))).linkedAccounts;

/** The account that waits for a sign-up, and the token that opens it. */
const newcomer = { metaId: "1200000000000002", numberMetaId: "1100000000000002", token: "EAAWAXWINGNEWWABA", pin: "123456" };

describe("AssociateWhatsAppBusinessAccount", () => {
  test("both phases link an account that can send, and it can be unlinked again", async () => {
    const first = await begin(newcomer.token);
    assert.equal(first.statusCode, 200);
    const { associateInProgressToken, linkedAccountsWithIncompleteSetup } = first.signupCallbackResult;
    assert.ok(associateInProgressToken.length > 0 && associateInProgressToken.length <= 50);
    assert.deepEqual(Object.keys(linkedAccountsWithIncompleteSetup), [newcomer.metaId]);
    const pending = linkedAccountsWithIncompleteSetup[newcomer.metaId];
    assert.equal(pending.registrationStatus, "INCOMPLETE");
    const [number] = pending.unregisteredWhatsAppPhoneNumbers;
    assert.equal(number.metaPhoneNumberId, newcomer.numberMetaId);

    const found = (await linked()).find((a) => a.wabaId === newcomer.metaId);
    assert.equal(found.registrationStatus, "INCOMPLETE");
    assert.equal(found.arn, pending.wabaId);
    const hello = {
      messaging_product: "whatsapp", to: "+447700900123", type: "template", template: { name: "hello_world", language: { code: "en_US" } },
    };
    const send = () =>
      api.send(new SendWhatsAppMessageCommand({ originationPhoneNumberId: number.phoneNumberId, metaApiVersion: "v20.0", message: Buffer.from(JSON.stringify(hello)) }));
    await refused(send(), "InvalidParametersException", 400, /cannot send/);

    const numbers = [{ id: number.phoneNumberId, twoFactorPin: newcomer.pin, tags: [{ key: "line", value: "sales" }] }];
    for (const [rest, message] of [
      [{}, /waba and phoneNumberParent/],
      [{ waba: { id: found.id }, phoneNumberParent: waba.id }, /waba and phoneNumberParent/],
      [{ waba: { id: missing.waba } }, /no WhatsApp Business Account/],
      [{ waba: { id: found.id, eventDestinations: [{ eventDestinationArn: topicArn + ".fifo" }] } }, /FIFO/],
    ]) {
      await refused(finish(associateInProgressToken, numbers, rest), "InvalidParametersException", 400, message);
    }
    await refused(finish(associateInProgressToken, [{ ...numbers[0], twoFactorPin: "12345" }], { waba: { id: found.id } }), "InvalidParametersException", 400, /six digits/);
    await refused(finish("invented", numbers, { waba: { id: found.id } }), "InvalidParametersException", 400, /token/i);

    const done = await finish(associateInProgressToken, numbers, {
      waba: { id: found.id, eventDestinations: [{ eventDestinationArn: topicArn }], tags: [{ key: "brand", value: "new" }] },
    });
    assert.equal(done.statusCode, 200);
    assert.equal(done.linkedWhatsAppBusinessAccountId, found.id);
    const { account } = await api.send(new GetLinkedWhatsAppBusinessAccountCommand({ id: found.id }));
    assert.equal(account.registrationStatus, "COMPLETE");
    assert.deepEqual(account.eventDestinations, [{ eventDestinationArn: topicArn }]);
    const tags = async (resourceArn) => (await api.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
    assert.deepEqual(await tags(account.arn), [{ key: "brand", value: "new" }]);
    assert.deepEqual(await tags(number.arn), [{ key: "line", value: "sales" }]);
    assert.ok((await send()).messageId);
    await refused(finish(associateInProgressToken, numbers, { waba: { id: found.id } }), "InvalidParametersException", 400, /token/i); // it is good for one

    await disassociate(found.arn);
    assert.deepEqual((await linked()).map((a) => a.id), [waba.id]);
    await refused(disassociate(found.id), "ResourceNotFoundException", 404, /no WhatsApp Business Account/);
    await refused(send(), "ResourceNotFoundException", 404, /phone number/i);
  });

  for (const [what, input] of [["neither phase", {}], ["both", { signupCallback: { accessToken: "x" }, setupFinalization: { associateInProgressToken: "x", phoneNumbers: [] } }]]) {
    test(`InvalidParametersException: ${what}`, async () => {
      const error = await refused(associate(input), "InvalidParametersException", 400, /signupCallback and setupFinalization/);
      assert.ok(error instanceof InvalidParametersException);
    });
  }
  test("ValidationException: a callback without a token", () =>
    refused(associate({ signupCallback: {} }), "ValidationException", 400, /'signupCallback.accessToken' failed to satisfy constraint/));
  test("an access token that Meta does not know", async () => {
    const error = await begin("EAAINVENTED").catch((error) => error);
    assert.equal(error.$metadata.httpStatusCode, 400, `${error.name}: ${error.message}`);
    assert.equal(error.name, "InvalidParametersException");
  });
  test("DependencyException: Meta is out of order", async () => {
    const faults = `${signUpSimulator}/sim/v1/faults`;
    await fetch(faults, { method: "PUT", body: JSON.stringify({ rules: [{ when: { next: 1 }, match: { edge: "debug_token" }, effect: { http_status: 500 } }] }) });
    try {
      const error = await refused(begin(newcomer.token), "DependencyException", 502, /./);
      assert.ok(error instanceof DependencyException);
    } finally {
      await fetch(faults, { method: "DELETE" });
    }
  });
});

describe("DisassociateWhatsAppBusinessAccount", () => {
  for (const [what, id] of [["an id nobody has", missing.waba], ["another account's ARN", foreign(waba.arn)]]) {
    test(`ResourceNotFoundException: ${what}`, () => refused(disassociate(id), "ResourceNotFoundException", 404, /no WhatsApp Business Account/));
  }
  test("ValidationException: Meta's id", () => refused(disassociate(waba.metaId), "ValidationException", 400, /'id' failed to satisfy constraint/));
});
