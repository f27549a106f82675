// Random schemas and random values: whatever the compiler of schemas accepts, its grammar and Ajv
// agree on each value.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { ReferenceGrammar } from '../support/gbnf-reference.mjs';
import { generator } from '../support/gguf-writer.mjs';
import { grammarOfSchema } from '../support/schema-grammar.mjs';
import { all } from '../support/support.mjs';

const ROUNDS = all ? 4000 : 600;
const next = generator(20);
const random = (n) => Math.floor(next() * n);
const pick = (list) => list[random(list.length)];
const some = (list) => list.filter(() => random(2) === 0);

const NAMES = ['a', 'ab', 'b', 'c'];
const VALUES = [null, true, 0, 1, 2.5, -3, 7, '', 'a', 'ab', 'abc', 'x"y', [], {}, [1], { a: 1 }];

function value(depth) {
  const kind = random(depth > 0 ? 5 : 3);
  if (kind < 3) return pick(VALUES);
  if (kind === 3) return Array.from({ length: random(4) }, () => value(depth - 1));
  return Object.fromEntries(some(NAMES).map((name) => [name, value(depth - 1)]));
}

/**
 * Schemas of small parts. `depth` bounds schemas inside schemas. Without `contains`: beside other
 * keywords, Ajv lets an empty list contain something.
 */
function schema(depth) {
  if (random(12) === 0) return pick([true, false, {}]);
  if (depth > 0 && random(12) === 0) return { $ref: pick(['#', '#/$defs/one', '#/$defs/two']) };
  const inner = () => schema(depth - 1);
  const list = () => Array.from({ length: 1 + random(3) }, inner);
  const named = (names) => Object.fromEntries(some(names).map((name) => [name, inner()]));
  const result = {};
  const add = {
    type: () =>
      pick(['string', 'number', 'integer', 'object', 'array', ['null', 'boolean', 'string']]),
    enum: () => Array.from({ length: 1 + random(4) }, () => pick(VALUES)),
    const: () => pick(VALUES),
    minimum: () => random(5) - 2,
    exclusiveMaximum: () => random(8) - 1,
    multipleOf: () => pick([1, 2, 0.5, 3]),
    minLength: () => random(3),
    maxLength: () => random(4),
    pattern: () => pick(['^a', 'b', 'a|c$', '^[ab]*$', '"']),
    ...(depth > 0 && {
      items: inner,
      prefixItems: list,
      minItems: () => random(3),
      maxItems: () => random(4),
      properties: () => named(NAMES),
      patternProperties: () => named(['^a', 'b']),
      additionalProperties: inner,
      required: () => some(NAMES).slice(0, 2),
      minProperties: () => random(3),
      maxProperties: () => random(4),
      propertyNames: inner,
      dependentRequired: () => ({ [pick(NAMES)]: some(NAMES).slice(0, 1) }),
      dependentSchemas: () => ({ [pick(NAMES)]: inner() }),
      unevaluatedProperties: inner,
      unevaluatedItems: inner,
      allOf: list,
      anyOf: list,
      oneOf: list,
      not: inner,
      if: inner,
      then: inner,
      else: inner,
      uniqueItems: () => random(2) === 0,
    }),
  };
  for (const keyword of Array.from({ length: 1 + random(3) }, () => pick(Object.keys(add))))
    result[keyword] = add[keyword]();
  return result;
}

/** The keys of an object in another order. */
function shuffled(object) {
  if (Array.isArray(object)) return object.map(shuffled);
  if (typeof object !== 'object' || object === null) return object;
  const entries = Object.entries(object).map(([name, inner]) => [name, shuffled(inner)]);
  return Object.fromEntries(random(2) ? entries : entries.reverse());
}

test('random schemas agree with Ajv on random values', { timeout: 600_000 }, (t) => {
  let accepted = 0;
  let valid = 0;
  let invalid = 0;
  let texts = 0;
  const refused = new Map();
  for (let i = 0; i < ROUNDS; i++) {
    const root = { ...Object(schema(2)), $defs: { one: schema(1), two: schema(1) } };
    const text = JSON.stringify(root);
    let grammarText;
    let message = '';
    try {
      grammarText = grammarOfSchema(root);
    } catch (error) {
      assert.equal(error.code, 'GRAMMAR_INVALID', `${text}: ${error.message}`);
      message = error.message;
      const keyword = /: "([^"]+)" of/.exec(message)?.[1] ?? message.slice(0, 60);
      refused.set(keyword, (refused.get(keyword) ?? 0) + 1);
      if (!/allows no value$/.test(message)) continue;
    }
    let validate;
    try {
      validate = new Ajv.default({ strict: false, logger: false }).compile(root);
    } catch {
      continue; // Ajv refuses some references that lead nowhere
    }
    const grammar = grammarText && new ReferenceGrammar(grammarText);
    accepted++;
    for (let j = 0; j < 40; j++) {
      const data = shuffled(value(3));
      const expected = validate(data);
      if (expected) valid++;
      else invalid++;
      const found = grammar?.accepts(JSON.stringify(data)) ?? false;
      assert.equal(found, expected, `${text}: ${JSON.stringify(data)}`);
    }
    for (let j = 0; grammar && j < 4; j++) {
      const made = grammar.randomText(random, 60);
      // numbers whose remainder Ajv computes with doubles are not judged
      if (made === undefined || /\d{15}|\.\d{6}|e/.test(made)) continue;
      texts++;
      assert.ok(validate(JSON.parse(made)), `${text}: ${made}`);
    }
  }
  t.diagnostic(`${accepted} schemas, ${valid} valid and ${invalid} invalid values, ${texts} texts`);
  t.diagnostic(`refused: ${[...refused].map((pair) => pair.join(' ')).join(', ')}`);
  assert.ok(accepted > ROUNDS / 4 && valid > ROUNDS && texts > ROUNDS / 4);
});
