// JSON Schema to grammars, held to the official test suite: a schema is refused by name, or its
// grammar writes every valid value of the suite and no invalid one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { groups, readme, results } from '../golden/json-schema/table.mjs';
import { ReferenceGrammar } from '../support/gbnf-reference.mjs';
import { generator } from '../support/gguf-writer.mjs';

const list = results();
const nameOf = ({ file, description }) => `${file}: ${description}`;

test('no group of the suite is wrong', (t) => {
  assert.equal(groups.length, 414);
  const wrong = list.flatMap((group) =>
    group.wrong.map(({ data }) => `${nameOf(group)}: ${JSON.stringify(data)}`),
  );
  assert.deepEqual(wrong, []);
  const accepted = list.filter((group) => group.accepted);
  t.diagnostic(`${accepted.length} accepted, ${list.length - accepted.length} refused by name`);
});

test('whole files of the suite are accepted', () => {
  const refused = new Set(list.filter((group) => group.refused).map(({ file }) => file));
  for (const file of [
    ...['additionalProperties', 'allOf', 'anyOf', 'boolean_schema', 'const', 'content', 'contains'],
    ...['dependentRequired', 'enum', 'exclusiveMaximum', 'exclusiveMinimum', 'items', 'maxItems'],
    ...['maxLength', 'maxProperties', 'maximum', 'minItems', 'minLength', 'minProperties'],
    ...['minimum', 'pattern', 'patternProperties', 'prefixItems', 'properties', 'propertyNames'],
    ...['required', 'type', 'default', 'infinite-loop-detection', 'optional/non-bmp-regex'],
    ...['optional/format/date', 'optional/format/time', 'optional/format/date-time'],
    ...['optional/format/uuid', 'optional/format/ipv4', 'optional/format/ipv6'],
    ...['optional/format/email', 'optional/format/duration', 'optional/bignum'],
  ])
    assert.ok(!refused.has(file), file);
});

test('the tables in web/grammar/README.md are those of this run', () => {
  const text = readFileSync(new URL('../../web/grammar/README.md', import.meta.url), 'utf8');
  assert.equal(text, readme(list), 'node tests/golden/json-schema/table.mjs --write');
});

test('random texts of the accepted schemas parse and validate', (t) => {
  const next = generator(18);
  const random = (n) => Math.floor(next() * n);
  let checked = 0;
  let judged = 0;
  for (const group of list) {
    // Ajv divides doubles to test a fraction's multiples
    if (!group.grammar || /"multipleOf":[^,}]*[.e]/.test(JSON.stringify(group.schema))) continue;
    const ajv = new Ajv.default({ strict: false, validateFormats: false, logger: false });
    let validate;
    try {
      validate = ajv.compile(group.schema);
      // the judge must agree with the suite; formats are not judged here
      if (/format/.test(group.file)) continue;
      if (group.tests.some(({ data, valid }) => validate(data) !== valid)) continue;
    } catch {
      continue;
    }
    judged++;
    const recognizer = new ReferenceGrammar(group.grammar);
    for (let i = 0; i < 6; i++) {
      const text = recognizer.randomText(random, 120);
      if (text === undefined) continue;
      const value = JSON.parse(text);
      checked++;
      assert.ok(validate(value), `${nameOf(group)}: ${text}: ${ajv.errorsText(validate.errors)}`);
    }
  }
  t.diagnostic(`${checked} texts of ${judged} schemas`);
  assert.ok(judged > 250 && checked > 700, `${checked} texts of ${judged} schemas`);
});
