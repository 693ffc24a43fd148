// The subsets of SNS and STS that share the endpoint.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import {
  CreateTopicCommand, DeleteTopicCommand, ListTopicsCommand, NotFoundException, PublishCommand, SNSClient, SubscribeCommand, UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { account, refused, topicArn, until } from "./service.js";

describe("sts", () => {
  test("GetCallerIdentity", async () => {
    const me = await new STSClient({ maxAttempts: 1 }).send(new GetCallerIdentityCommand({}));
    assert.equal(me.Account, account);
    assert.equal(me.Arn, `arn:aws:iam::${account}:user/admin`);
    assert.match(me.UserId, /^AIDA/);
  });
  test("InvalidClientTokenId: an unknown access key", () =>
    refused(
      new STSClient({ maxAttempts: 1, credentials: { accessKeyId: "AKIANOBODY0000000000", secretAccessKey: "x" } }).send(new GetCallerIdentityCommand({})),
      "InvalidClientTokenId", 403, /security token/,
    ));
});

describe("sns", () => {
  const sns = new SNSClient({ maxAttempts: 1 });

  test("a topic's life: created, subscribed to, published to, left, deleted", async (t) => {
    const received = [];
    const subscriber = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      received.push({ type: request.headers["x-amz-sns-message-type"], ...JSON.parse(body) });
      response.end();
    });
    await new Promise((listening) => subscriber.listen(0, "127.0.0.1", listening));
    t.after(() => subscriber.close());

    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "javascript" }));
    assert.equal(TopicArn, `arn:aws:sns:us-east-1:${account}:javascript`);
    assert.ok((await sns.send(new ListTopicsCommand({}))).Topics.some((topic) => topic.TopicArn === TopicArn));

    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({ TopicArn, Protocol: "http", Endpoint: `http://127.0.0.1:${subscriber.address().port}/`, ReturnSubscriptionArn: true }),
    );
    const { SubscribeURL } = await until("confirmation", () => received.find((m) => m.type === "SubscriptionConfirmation"));
    assert.ok((await fetch(SubscribeURL)).ok);

    const { MessageId } = await sns.send(new PublishCommand({ TopicArn, Message: "Hé!", Subject: "greeting" }));
    const notification = await until("notification", () => received.find((m) => m.type === "Notification"));
    assert.equal(notification.MessageId, MessageId);
    assert.equal(notification.Message, "Hé!");
    assert.equal(notification.Subject, "greeting");
    assert.equal(notification.TopicArn, TopicArn);

    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    const error = await refused(sns.send(new PublishCommand({ TopicArn, Message: "late" })), "NotFoundException", 404, /Topic does not exist/);
    assert.ok(error instanceof NotFoundException);
  });
  test("InvalidParameterException: a topic's name", () => refused(sns.send(new CreateTopicCommand({ Name: "no spaces" })), "InvalidParameterException", 400, /Name/));
  test("AuthorizationErrorException: another account's topic", () =>
    refused(sns.send(new PublishCommand({ TopicArn: topicArn.replace(account, "111122223333"), Message: "x" })), "AuthorizationErrorException", 403, /not authorized/));
});
