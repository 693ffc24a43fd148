// Labels on accounts and numbers. The tests share two resources, so each keeps to keys of its own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ListTagsForResourceCommand, TagResourceCommand, UntagResourceCommand } from "@aws-sdk/client-socialmessaging";
import { client, foreign, phone, refused, waba } from "./service.js";

const api = client();
const list = (resourceArn) => api.send(new ListTagsForResourceCommand({ resourceArn }));
const tag = (resourceArn, ...tags) => api.send(new TagResourceCommand({ resourceArn, tags }));
const untag = (resourceArn, ...tagKeys) => api.send(new UntagResourceCommand({ resourceArn, tagKeys }));
const values = async (arn, prefix) =>
  Object.fromEntries((await list(arn)).tags.filter((t) => t.key.startsWith(prefix)).map((t) => [t.key, t.value]));

const absent = phone.arn.replace(/\/.*/, "/" + "f".repeat(32));

describe("TagResource", () => {
  for (const [what, arn] of [["an account", waba.arn], ["a number", phone.arn]]) {
    test(`adds and overwrites tags of ${what} and leaves others alone`, async () => {
      assert.equal((await tag(arn, { key: "tag/team", value: "ops" }, { key: "tag/empty" })).statusCode, 200);
      await tag(arn, { key: "tag/team", value: "søren@example" }, { key: "tag/more", value: "1" });
      assert.deepEqual(await values(arn, "tag/"), { "tag/team": "søren@example", "tag/empty": "", "tag/more": "1" });
    });
  }
  for (const [what, tags, name, message] of [
    ["an empty key", [{ key: "", value: "v" }], "ValidationException", /tags\.1\.member\.key/],
    ["a long value", [{ key: "k", value: "v".repeat(257) }], "ValidationException", /tags\.1\.member\.value/],
    ["a reserved key", [{ key: "aws:k", value: "v" }], "InvalidParametersException", /reserved/],
    ["a key twice", [{ key: "k", value: "1" }, { key: "k", value: "2" }], "InvalidParametersException", /more than once/],
    ["fifty-one", Array.from({ length: 51 }, (_, i) => ({ key: `many/${i}` })), "InvalidParametersException", /at most 50/],
  ]) {
    test(`${name}: ${what}`, () => refused(tag(waba.arn, ...tags), name, 400, message));
  }
});

describe("UntagResource", () => {
  test("removes the tags that are there", async () => {
    await tag(waba.arn, { key: "untag/a", value: "1" }, { key: "untag/b", value: "2" });
    assert.equal((await untag(waba.arn, "untag/a", "untag/never-there")).statusCode, 200);
    assert.deepEqual(await values(waba.arn, "untag/"), { "untag/b": "2" });
  });
  test("ValidationException: an empty key", () => refused(untag(waba.arn, ""), "ValidationException", 400, /tagKeys/));
  test("InvalidParametersException: a reserved key", () => refused(untag(waba.arn, "aws:k"), "InvalidParametersException", 400, /reserved/));
});

describe("ListTagsForResource", () => {
  test("lists", async () => {
    const { statusCode, tags } = await list(phone.arn);
    assert.equal(statusCode, 200);
    assert.ok(Array.isArray(tags));
  });
  test("ValidationException: not an ARN", () => refused(list(waba.id), "ValidationException", 400, /'resourceArn' failed to satisfy constraint/));
});

// The three of them know resources by ARN only, and their model has no error for one that does not exist.
for (const [operation, call] of [["TagResource", (arn) => tag(arn, { key: "k" })], ["UntagResource", (arn) => untag(arn, "k")], ["ListTagsForResource", list]]) {
  for (const [what, arn] of [["is missing", absent], ["is another account's", foreign(phone.arn)], ["is of another kind", waba.arn.replace("waba/", "flow/")]]) {
    test(`${operation} refuses a resource that ${what}`, () => refused(call(arn), "InvalidParametersException", 400, /no resource/));
  }
}
