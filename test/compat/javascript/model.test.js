// Holds our table of operations to the SDK's own schemas: every operation, member, place and type, what is required and what is
// sensitive. WAXWING_MODEL is a file with what our table says.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-socialmessaging";

const ours = JSON.parse(await readFile(process.env.WAXWING_MODEL, "utf8"));
const operations = Object.entries(sdk).filter(([, schema]) => Array.isArray(schema) && schema[0] === 9);

// Differences that are meant, as compare words them, and why.
const deliberate = new Map([]);

const types = { 0: "string", 1: "integer", 2: "boolean", 4: "timestamp", 5: "timestamp", 6: "timestamp", 7: "timestamp", 15: "document", 21: "blob", 42: "blob" };
const SENSITIVE = 8;

/** A schema of the SDK as {type, members, element, sensitive, query}: references followed, member traits and own ones together. */
function read(schema, traits = 0) {
  if (typeof schema === "function") return read(schema(), traits);
  const sensitive = (t) => (typeof t === "number" ? (t & SENSITIVE) !== 0 : t?.sensitive !== undefined);
  const all = { sensitive: sensitive(traits), query: typeof traits === "object" ? traits.httpQuery : undefined };
  if (typeof schema === "number") {
    if (schema >= 128) return { ...all, type: "map", element: read(schema & ~128) };
    if (schema >= 64) return { ...all, type: "list", element: read(schema & ~64) };
    return { ...all, type: types[schema] ?? `type ${schema}` };
  }
  if (typeof schema[1] !== "string") return read(schema[0], schema[1]); // a member: schema and traits
  const own = { ...all, sensitive: all.sensitive || sensitive(schema[3]) };
  switch (schema[0]) {
    case 0: return { ...read(schema[4]), ...own };
    case 1: return { ...own, type: "list", element: read(schema[4]) };
    case 2: return { ...own, type: "map", element: read(schema[5]) };
    case 3: {
      const members = new Map(schema[4].map((name, i) => [name, { ...read(schema[5][i]), required: i < (schema[6] ?? 0) }]));
      return { ...own, type: "structure", members };
    }
    default: return { ...own, type: `schema ${schema[0]}` };
  }
}

/** Says how our shape differs from the SDK's. Only of inputs it matters where members are and which are required. */
function* compare(theirs, mine, input, path) {
  if (theirs.type !== mine.type) return yield `${path} is a ${mine.type}, not a ${theirs.type}`;
  if (input && theirs.sensitive && !hidden(mine)) yield `${path} is sensitive`;
  if (theirs.element) yield* compare(theirs.element, mine.element, input, `${path}[]`);
  if (!theirs.members) return;
  const known = new Set();
  for (const [name, member] of theirs.members) {
    const wire = member.query ?? name;
    known.add(wire);
    const have = mine.members?.[wire];
    if (!have) {
      yield `${path}.${wire} is missing`;
      continue;
    }
    if (input && have.where !== (member.query ? "query" : "body")) yield `${path}.${wire} is in the ${have.where}`;
    if (input && Boolean(have.required) !== member.required) yield `${path}.${wire}: required is ${Boolean(have.required)}`;
    yield* compare(member, have, input, `${path}.${wire}`);
  }
  for (const name of Object.keys(mine.members ?? {})) if (!known.has(name)) yield `${path}.${name} is extra`;
}

const hidden = (shape) => shape.sensitive || (shape.members && Object.values(shape.members).every(hidden)) || false;

describe("the SDK's model", () => {
  const found = new Set();
  for (const [, schema] of operations) {
    const [, , name, traits, input, output] = schema;
    test(name, () => {
      const mine = ours[name];
      assert.ok(mine, "no such operation");
      const [method, path] = traits.http;
      const differences = [];
      if (mine.method !== method || mine.path !== path) differences.push(`${name} is ${mine.method} ${mine.path}, not ${method} ${path}`);
      for (const d of compare(read(input), mine.input, true, `${name} input`)) differences.push(d);
      for (const d of compare(read(output), mine.output, false, `${name} output`)) differences.push(d);
      for (const d of differences) found.add(d);
      assert.deepEqual(differences.filter((d) => !deliberate.has(d)), []);
    });
  }
  test("has as many operations as the SDK, and no difference is listed that is none", (t) => {
    const commands = Object.keys(sdk).filter((name) => name.endsWith("Command") && name !== "$Command");
    assert.equal(operations.length, commands.length);
    assert.deepEqual([...deliberate.keys()].filter((d) => !found.has(d)), []);
    t.diagnostic(`the schemas of ${operations.length} operations compared`);
  });
});
