// What the tests in JavaScript have in common, whichever library they run.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Reads what the Go test that runs this one tells it. */
export function need(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run these tests with "go test ./test/compat"`);
  return value;
}

/** Waits until `look` returns something, and returns that. */
export async function until(what, look) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < deadline, `no ${what}`);
    await pause(20);
  }
}
