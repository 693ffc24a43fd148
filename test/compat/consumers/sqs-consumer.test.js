// sqs-consumer, the BBC's: it reads a queue that is an event destination, and deletes what it has understood.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { createEventDestination, need, sendTemplate, statusesOf, until } from "./service.js";

test("sqs-consumer reads a queue that is an event destination", async (t) => {
  const sqs = new SQSClient({ endpoint: need("WAXWING_SQS_URL") });
  await createEventDestination({ type: "sqs", address: "arn:aws:sqs:us-east-1:000000000000:consumer" });
  const { QueueUrl: queueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "consumer" }));
  const told = [], problems = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    waitTimeSeconds: 1,
    handleMessage: async (message) => {
      told.push(...statusesOf(JSON.parse(message.Body)));
      return message;
    },
  });
  for (const kind of ["error", "processing_error", "timeout_error"]) consumer.on(kind, (problem) => problems.push(problem));
  consumer.start();
  t.after(() => consumer.stop({ abort: true }));
  const id = await sendTemplate();
  await until("statuses", () => ["accepted", "sent", "delivered"].every((status) => told.includes(`${id} ${status}`)));
  assert.deepEqual(problems, []);
});
