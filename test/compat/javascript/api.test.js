// What holds for every operation: which of them exist, who may call, and how it is refused.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-socialmessaging";
import { client, endpoint, implemented, refused, region, throttledEndpoint } from "./service.js";

/** Every operation the SDK knows, with inputs that get past the SDK itself. */
const known = Object.keys(sdk)
  .filter((name) => name.endsWith("Command") && name !== "$Command")
  .map((name) => name.slice(0, -"Command".length))
  .sort();

const call = (operation, api = client()) => api.send(new sdk[operation + "Command"]({}));
const answer = (operation, api) => call(operation, api).then(() => "", (error) => error.name);

describe("operations", () => {
  test("every one of the SDK's answers as itself, or says that it does not exist", async (t) => {
    assert.ok(known.length >= 31, `the SDK has ${known.length} operations`);
    const absent = [];
    for (const operation of known) {
      const code = await answer(operation);
      if (code === "UnknownOperationException") absent.push(operation);
      else assert.notEqual(code, "InternalServiceException", operation);
    }
    t.diagnostic(`${known.length - absent.length} of the SDK's ${known.length} operations are served; missing: ${absent.join(", ") || "none"}`);
    assert.deepEqual(known.filter((operation) => !absent.includes(operation)), implemented.filter((operation) => known.includes(operation)).sort());
  });

  test("every one that is served has tests here", async () => {
    let source = "";
    for (const file of await readdir(import.meta.dirname)) if (file.endsWith(".test.js")) source += await readFile(`${import.meta.dirname}/${file}`, "utf8");
    const untested = implemented.filter((operation) => known.includes(operation) && !source.includes(`describe("${operation}"`));
    assert.deepEqual(untested, []);
  });

  for (const operation of implemented.filter((operation) => known.includes(operation))) {
    test(`${operation} has a quota`, async () => {
      const limited = client({ endpoint: throttledEndpoint });
      const codes = [await answer(operation, limited), await answer(operation, limited)];
      assert.equal(codes[1], "ThrottledRequestException", `answers: ${codes}`);
    });
  }
});

const list = (config) => client(config).send(new sdk.ListLinkedWhatsAppBusinessAccountsCommand({}));
const own = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };

describe("signatures", () => {
  test("an unknown access key", () =>
    refused(list({ credentials: { ...own, accessKeyId: "AKIANOBODY0000000000" } }), "UnrecognizedClientException", 403, /security token .* invalid/));
  test("a wrong secret", () =>
    refused(list({ credentials: { ...own, secretAccessKey: "guessed" } }), "InvalidSignatureException", 403, /signature we calculated does not match/));
  test("a session token that was never issued", () =>
    refused(list({ credentials: { ...own, sessionToken: "invented" } }), "UnrecognizedClientException", 403, /security token .* invalid/));
  test("another Region", () => refused(list({ region: "eu-west-1" }), "InvalidSignatureException", 403, /scoped to a valid region, not 'eu-west-1'/));
  test("a clock that is an hour slow", () => refused(list({ systemClockOffset: -3_600_000 }), "InvalidSignatureException", 403, /^Signature expired: /));
  test("a clock that is an hour fast", () => refused(list({ systemClockOffset: 3_600_000 }), "InvalidSignatureException", 403, /^Signature not yet current: /));
  test("the SDK corrects its clock by our answers", async () => {
    const { $metadata } = await list({ systemClockOffset: -3_600_000, maxAttempts: 3 });
    assert.equal($metadata.attempts, 2);
  });
  test("no signature at all", async () => {
    const response = await fetch(`${endpoint}/v1/whatsapp/waba/list`);
    assert.equal(response.status, 403);
    assert.equal(response.headers.get("x-amzn-errortype"), "MissingAuthenticationTokenException");
    assert.match(response.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/);
  });
});

describe("browsers", () => {
  test("may call from anywhere, as the service's model says", async () => {
    const preflight = await fetch(`${endpoint}/v1/whatsapp/send`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "authorization,x-amz-date" },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    const allowed = preflight.headers.get("access-control-allow-headers").toLowerCase();
    for (const header of ["authorization", "x-amz-date", "x-amz-content-sha256", "amz-sdk-invocation-id", "amz-sdk-request"]) assert.ok(allowed.includes(header), header);
    assert.equal(region, process.env.AWS_REGION);
  });
});
