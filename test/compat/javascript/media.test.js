// Media: files between buckets and WhatsApp. The buckets are the built-in ones, reached with presigned URLs.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import {
  CreateWhatsAppMessageTemplateMediaCommand,
  DeleteWhatsAppMessageMediaCommand,
  GetWhatsAppMessageMediaCommand,
  InvalidParametersException,
  PostWhatsAppMessageMediaCommand,
  ResourceNotFoundException,
  SendWhatsAppMessageCommand,
  ValidationException,
} from "@aws-sdk/client-socialmessaging";
import { atWhatsApp, client, customerWrites, diego, endpoint, foreign, missing, phone, refused, waba } from "./service.js";

const api = client();
const bucketName = "whatsapp-media";
const post = (input, from = phone.id) => api.send(new PostWhatsAppMessageMediaCommand({ originationPhoneNumberId: from, ...input }));
const get = (mediaId, input, from = phone.id) => api.send(new GetWhatsAppMessageMediaCommand({ mediaId, originationPhoneNumberId: from, ...input }));
const remove = (mediaId, from = phone.id) => api.send(new DeleteWhatsAppMessageMediaCommand({ mediaId, originationPhoneNumberId: from }));
const sample = (input, id = waba.id) => api.send(new CreateWhatsAppMessageTemplateMediaCommand({ id, ...input }));

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]), Buffer.from("JFIF, says the cat")]);
let count = 0;
const unique = (name) => `javascript/${process.pid}-${++count}-${name}`;

/** A URL that is good for a minute, signed as the first version of the AWS CLI does it. */
function presigned(method, key, type = "") {
  const expires = Math.floor(Date.now() / 1000) + 60;
  const path = `/${bucketName}/${key}`;
  const signature = createHmac("sha1", process.env.AWS_SECRET_ACCESS_KEY).update(`${method}\n\n${type}\n${expires}\n${path}`).digest("base64");
  return `${endpoint}${path}?AWSAccessKeyId=${process.env.AWS_ACCESS_KEY_ID}&Signature=${encodeURIComponent(signature)}&Expires=${expires}`;
}

/** Puts a file into the bucket and returns it as the API names it. */
async function stored(body, type, name = "file") {
  const key = unique(name);
  const response = await fetch(presigned("PUT", key, type), { method: "PUT", body, headers: { "content-type": type } });
  assert.equal(response.status, 200, await response.text());
  return { bucketName, key };
}

async function read(key) {
  const response = await fetch(presigned("GET", key));
  return { status: response.status, type: response.headers.get("content-type"), body: Buffer.from(await response.arrayBuffer()) };
}

const posted = async () => (await post({ sourceS3File: await stored(jpeg, "image/jpeg") })).mediaId;

describe("PostWhatsAppMessageMedia", () => {
  for (const [what, from] of [["id", phone.id], ["ARN", phone.arn]]) {
    test(`from a file, by ${what}`, async () => {
      const { mediaId } = await post({ sourceS3File: await stored(jpeg, "image/jpeg") }, from);
      assert.match(mediaId, /^[0-9]+$/);
      await customerWrites(diego, "Send me a picture");
      const { messageId } = await api.send(
        new SendWhatsAppMessageCommand({
          originationPhoneNumberId: phone.id,
          metaApiVersion: "v20.0",
          message: Buffer.from(JSON.stringify({ messaging_product: "whatsapp", to: `+${diego}`, type: "image", image: { id: mediaId } })),
        }),
      );
      assert.deepEqual((await atWhatsApp(messageId)).body.image, { id: mediaId });
    });
  }
  test("from a presigned URL", async () => {
    const { key } = await stored(jpeg, "application/octet-stream");
    const { mediaId } = await post({ sourceS3PresignedUrl: { url: presigned("GET", key), headers: { "Content-Type": "image/jpeg" } } });
    assert.deepEqual(await get(mediaId, { metadataOnly: true }).then(({ mimeType, fileSize }) => [mimeType, fileSize]), ["image/jpeg", jpeg.length]);
  });
  test("ValidationException: a URL that leads elsewhere", () =>
    refused(post({ sourceS3PresignedUrl: { url: "https://example.com/x", headers: {} } }), ValidationException.name, 400, /'sourceS3PresignedUrl\.url'.*amazonaws/));
  test("InvalidParametersException: no source", () => refused(post({}), InvalidParametersException.name, 400, /Exactly one/));
  test("InvalidParametersException: a lie", async () =>
    refused(post({ sourceS3File: await stored(jpeg, "image/png") }), InvalidParametersException.name, 400, /declared as image\/png/));
  test("ResourceNotFoundException: no such object", () =>
    refused(post({ sourceS3File: { bucketName, key: "never" } }), ResourceNotFoundException.name, 404, /no object/));
  test("ResourceNotFoundException: no such number", async () =>
    refused(post({ sourceS3File: await stored(jpeg, "image/jpeg") }, missing.phone), ResourceNotFoundException.name, 404, /phone number/));
});

describe("GetWhatsAppMessageMedia", () => {
  for (const [what, from] of [["id", phone.id], ["ARN", phone.arn]]) {
    test(`into a file, by ${what}: the key is a prefix`, async () => {
      const id = await posted();
      const prefix = unique("in/");
      const { mimeType, fileSize } = await get(id, { destinationS3File: { bucketName, key: prefix } }, from);
      assert.deepEqual([mimeType, fileSize], ["image/jpeg", jpeg.length]);
      assert.deepEqual(await read(`${prefix}${id}.jpeg`), { status: 200, type: "image/jpeg", body: jpeg });
    });
  }
  test("to a presigned URL", async () => {
    const key = unique("in.jpeg");
    await get(await posted(), { destinationS3PresignedUrl: { url: presigned("PUT", key, "image/jpeg"), headers: { "Content-Type": "image/jpeg" } } });
    assert.deepEqual(await read(key), { status: 200, type: "image/jpeg", body: jpeg });
  });
  test("ValidationException: a media id with a dot", () => refused(get("123.ogg", { metadataOnly: true }), ValidationException.name, 400, /'mediaId'/));
  test("InvalidParametersException: no destination", async () => refused(get(await posted(), {}), InvalidParametersException.name, 400, /metadataOnly/));
  test("ResourceNotFoundException: no such medium", () => refused(get("4711", { metadataOnly: true }), ResourceNotFoundException.name, 404, /4711/));
  test("ResourceNotFoundException: another account's number", () =>
    refused(get("4711", { metadataOnly: true }, foreign(phone.arn)), ResourceNotFoundException.name, 404, /phone number/));
});

describe("DeleteWhatsAppMessageMedia", () => {
  for (const [what, from] of [["id", phone.id], ["ARN", phone.arn]]) {
    test(`by ${what}; the copy in the bucket stays`, async () => {
      const id = await posted();
      const prefix = unique("kept");
      await get(id, { destinationS3File: { bucketName, key: prefix } });
      assert.equal((await remove(id, from)).success, true);
      assert.equal((await read(`${prefix}${id}.jpeg`)).status, 200);
      await refused(remove(id, from), ResourceNotFoundException.name, 404, new RegExp(id));
    });
  }
  test("ValidationException: an account in place of a number", () => refused(remove("1", waba.id), ValidationException.name, 400, /'originationPhoneNumberId'/));
});

describe("CreateWhatsAppMessageTemplateMedia", () => {
  for (const [what, id] of [["id", waba.id], ["ARN", waba.arn]]) {
    test(`returns a handle, by ${what}`, async () => {
      const { metaHeaderHandle } = await sample({ sourceS3File: await stored(jpeg, "image/jpeg") }, id);
      assert.match(metaHeaderHandle, /^4::/);
    });
  }
  test("InvalidParametersException: no source", () => refused(sample({}), InvalidParametersException.name, 400, /sourceS3File/));
  test("InvalidParametersException: not for headers", async () =>
    refused(sample({ sourceS3File: await stored("hello", "text/plain") }), InvalidParametersException.name, 400, /header of a template/));
  test("ResourceNotFoundException: no such account", async () =>
    refused(sample({ sourceS3File: await stored(jpeg, "image/jpeg") }, missing.waba), ResourceNotFoundException.name, 404, /waba-f/));
});
