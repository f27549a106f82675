// JSON Schema to grammars: examples of the kinds that were once wrong, hostile schemas, limits, and
// random patterns, bounds and divisors beside what JavaScript says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceGrammar } from '../support/gbnf-reference.mjs';
import { generator } from '../support/gguf-writer.mjs';
import { grammarOfSchema } from '../support/schema-grammar.mjs';

const grammarOf = (schema) => new ReferenceGrammar(grammarOfSchema(schema));

/** Checks which texts a schema allows. */
function check(schema, allowed, forbidden) {
  const grammar = grammarOf(schema);
  const name = JSON.stringify(schema).slice(0, 200);
  for (const text of allowed) assert.ok(grammar.accepts(text), `${name} must allow ${text}`);
  for (const text of forbidden) assert.ok(!grammar.accepts(text), `${name} must not allow ${text}`);
}

/** Checks that a schema is refused with a message of this kind. */
function refuses(schema, message) {
  assert.throws(() => grammarOfSchema(schema), { code: 'GRAMMAR_INVALID', message });
}

test('patterns search, and give whole JSON strings', () => {
  check(
    { type: 'string', pattern: '^a|b$' },
    ['"a"', '"abc"', '"xb"', '"a\\n"', '"a\\"b"', '"é b"'],
    ['"', '"a', '"xa"', '"bx"', '""', 'a', '"a"b"', '"a\n"'],
  );
  check(
    { type: 'string', pattern: '^.$' },
    ['"a"', '"\\""', '"\\\\"', '"é"', '"🐲"', '"\\t"'],
    [...['"\\"', '"', '""', '"""', '"ab"', '"\\n"', '"\\r"', '"\u2028"', '"\\u000a"']],
  );
  check(
    { type: 'string', pattern: '^\\S+$' },
    ['"a"', '"a\\"b"', '"\\\\"', '"\\u0001"', '"\\ud800"'],
    ['"a"b"', '""', '"a b"', '"a\\tb"', '"a\u00a0"', '"\\u0020"', '"\\uD800"'],
  );
  check({ pattern: 'b' }, ['"abc"', '1', '[]', '{"a":null}'], ['"ac"', '""']);
  check({ pattern: 'a{2}|^$' }, ['"xaay"', '""'], ['"a"', '"x"']);
  check(
    { pattern: '^(?:a+?|(?<n>b))\\u{1F432}?[^\\d\\s]$' },
    ['"aax"', '"b🐲_"'],
    ['"ab1"', '"🐲x"'],
  );
  check({ type: 'string', pattern: '$^' }, ['""'], ['"a"']);
  check({ type: 'string', pattern: '^[\\]\\-a]$' }, ['"]"', '"-"', '"a"'], ['"b"']);
  check(
    { type: 'string', pattern: '^\\ud83d\\udc32$' },
    ['"🐲"'],
    ['"\\ud83d\\udc32"', '"\\ud83d"'],
  );
});

test('patterns that cannot be used are refused by name', () => {
  for (const [pattern, message] of [
    ['(?=a)b', /"pattern" of the schema at "#\/properties\/x".*lookahead/],
    ['(?<!a)b', /lookbehind/],
    ['(a)\\1', /backreference/],
    ['\\bword', /word boundary/],
    ['(a', /without its end/],
    ['a)', /without its opening bracket/],
    ['[a', /without its end/],
    ['*', /nothing before/],
    ['a{2,1}', /quantifier/],
    ['[z-a]', /range/],
    ['\\p{Nothing}', /unknown property/],
    ['\\a', /unknown escape/],
    ['(a|b)*a(a|b){20}', /12000 states/],
    ['((a{1000}){1000}){1000}', /12000 states/],
    ['a{1000000000}', /12000 states/],
    ['('.repeat(100_000), /200 deep/],
  ])
    refuses({ properties: { x: { pattern } } }, message);
});

test('lengths count code points, also together with a pattern or a format', () => {
  check(
    { type: 'string', minLength: 2, maxLength: 3 },
    ['"ab"', '"🐲🐲"', '"é\\n"', '"a\\ud800"', '"\\udc00\\ud800"', '"abc"', '"\\ud83d\\ud83d🐲"'],
    ['"a"', '"abcd"', '"🐲"', '"\\ud83d\\udc32"', '""', '"\\n\\n\\n\\n"'],
  );
  check({ type: 'string', pattern: '^a', maxLength: 3 }, ['"abc"', '"a🐲🐲"'], ['"abcd"', '"b"']);
  check({ type: 'string', pattern: '^a', minLength: 3 }, ['"abc"', '"abcd"'], ['"ab"']);
  check({ format: 'date', maxLength: 10 }, ['"2024-02-29"'], ['"2023-02-29"', '"2024-02-290"']);
  check({ format: 'ipv4', minLength: 14 }, ['"192.168.100.10"'], ['"1.1.1.1"']);
  check({ type: 'string', maxLength: 2 ** 31 - 1 }, ['"abc"'], []);
  refuses({ type: 'string', pattern: 'a+', maxLength: 100_000 }, /"pattern".*automaton/);
  refuses({ type: 'string', format: 'date', minLength: 11 }, /allows no value/);
});

test('bounds of numbers are exact', () => {
  check(
    { allOf: [{ type: 'integer' }, { maximum: 9 }] },
    ['9', '-77', '0', '-1e+21'],
    [...['77', '10', '9.0', '9.5', '1e+21', '00', '-', '+1']],
  );
  check(
    { type: 'number', exclusiveMaximum: 10 },
    ['9', '9.999999999999998', '-1e+300', '9.90', '1e-7', '-0'],
    ['10', '10.0', '10.000', '9.99999999999999999999', '11', '1e+21', '9.', '.5', '1e5'],
  );
  check(
    { type: 'number', minimum: 0.1 },
    ['0.1', '0.10', '0.11', '1e+21'],
    ['0.09', '0', '-1', '1e-7'],
  );
  check(
    { type: 'number', exclusiveMinimum: 0 },
    ['5e-324', '0.001', '1'],
    ['0', '-0', '0.0', '-1'],
  );
  check(
    { type: 'integer', minimum: -5, maximum: 12 },
    ['-5', '0', '12'],
    ['-6', '13', '120', '1.5'],
  );
  check(
    { type: 'number', minimum: 1e-7, maximum: 2e-7 },
    ['1e-7', '1.5e-7', '0.00000015'],
    ['3e-7', '1e-8', '0'],
  );
  check(
    { type: 'number', minimum: 1e300 },
    ['1e+300', '1.7976931348623157e+308'],
    ['1', '9e+299', '1e+309'],
  );
  check(
    { type: 'integer' },
    ['123456789012345680000', '1e+21', '1.5e+300'],
    ['1e+20', '1e5', '1.0', '1e-7'],
  );
  check(
    { type: 'number' },
    ['1e-7', '-2.5e+30', '1.7976931348623157e+308'],
    ['1.7976931348623158e+308', '1e+309', '0e+21'],
  );
  refuses({ exclusiveMinimum: Number.MAX_VALUE, type: 'number' }, /allows no value/);
  refuses({ type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 4 }, /allows no value/);
});

test('random bounds agree with comparisons of doubles', () => {
  const next = generator(7);
  const bits = new DataView(new ArrayBuffer(8));
  const value = () => {
    const kind = Math.floor(next() * 4);
    if (kind === 0) return Math.floor(next() * 2000) - 1000;
    if (kind === 1) return Math.round(next() * 1e6 - 5e5) / 1000;
    if (kind === 2) return (next() - 0.5) * 10 ** Math.floor(next() * 40 - 20);
    bits.setUint32(0, next() * 2 ** 32);
    bits.setUint32(4, next() * 2 ** 32);
    return Number.isFinite(bits.getFloat64(0)) ? bits.getFloat64(0) : 0;
  };
  for (let i = 0; i < 60; i++) {
    const bound = value();
    const keyword = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'][i % 4];
    const holds = [...[(x) => x >= bound, (x) => x <= bound, (x) => x > bound, (x) => x < bound]][
      i % 4
    ];
    const grammar = grammarOf({ type: 'number', [keyword]: bound });
    for (let j = 0; j < 30; j++) {
      const x = j === 0 ? bound : j < 10 ? bound * (1 + (j - 5) * Number.EPSILON) : value();
      const text = JSON.stringify(x);
      assert.equal(grammar.accepts(text), holds(x), `${keyword} ${bound}: ${text}`);
    }
  }
});

test('multiples are exact decimals', () => {
  check(
    { type: 'integer', multipleOf: 7 },
    ['0', '7', '-14', '7000000000007'],
    ['1', '8', '70000000001'],
  );
  check(
    { multipleOf: 0.01 },
    ['0.01', '19.99', '4.350', '1e+21', '"x"'],
    ['0.001', '1e-7', '19.999'],
  );
  check({ multipleOf: 2.5 }, ['2.5', '5', '-7.50', '1e+21'], ['1', '2.55']);
  check({ multipleOf: 100 }, ['0', '100', '2300', '100.0'], ['10', '150', '100.5']);
  check({ multipleOf: 12000 }, ['0', '12000', '36000'], ['1200', '18000', '120001']);
  check(
    { multipleOf: 1e-8 },
    ['1e-8', '1.2e-7', '0.00000003', '5'],
    ['1.23e-7', '1e-9', '0.000000001'],
  );
  check({ allOf: [{ multipleOf: 4 }, { multipleOf: 6 }] }, ['12', '24.0', '0'], ['4', '6', '18']);
  check(
    { type: 'number', multipleOf: 3, minimum: 10, maximum: 20 },
    ['12', '18'],
    ['9', '21', '13'],
  );
  refuses({ multipleOf: 0.123456789 }, /"multipleOf" of the schema at "#"/);
  refuses(
    { properties: { a: { multipleOf: 0 } } },
    /"multipleOf" of the schema at "#\/properties\/a"/,
  );
});

test('formats', () => {
  check(
    { format: 'time' },
    ['"23:59:60Z"', '"08:30:06.5+01:00"', '7'],
    ['"24:00:00Z"', '"08:30:06"'],
  );
  check(
    { format: 'date-time' },
    ['"2000-02-29T00:00:00Z"'],
    ['"1900-02-29T00:00:00Z"', '"2000-02-29 00:00:00Z"'],
  );
  check({ format: 'email', pattern: '\\.org$' }, ['"a@b.org"'], ['"a@b.com"', '"@b.org"']);
  refuses({ items: { format: 'regex' } }, /"format" of the schema at "#\/items" \("regex"\)/);
  check({ type: 'integer', format: 'int32' }, ['1'], ['"a"']);
});

test('members in any order, by name and by pattern', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'null' } },
    required: ['a'],
    additionalProperties: false,
  };
  check(
    schema,
    ['{"a":1}', '{"a":1,"b":null}', '{"b":null,"a":1}'],
    [...['{}', '{"b":null}', '{"a":1,"a":1}', '{"a":1,"c":1}', '{"a":1,}', '{,"a":1}', '{"a": 1}']],
  );
  check(
    {
      type: 'object',
      patternProperties: { '^a': { type: 'integer' }, z$: { maximum: 5 } },
      additionalProperties: { type: 'string' },
    },
    ['{}', '{"a":9}', '{"z":"x"}', '{"az":5,"q":"r"}', '{"b":"x"}', '{"z":3}'],
    ['{"az":6}', '{"a":"x"}', '{"b":1}', '{"z":6}', '{"az":"x"}'],
  );
  check(
    {
      type: 'object',
      properties: { a: { type: 'null' } },
      additionalProperties: { type: 'boolean' },
    },
    ['{"a":null}', '{"b":true,"a":null,"b":false}', '{"a\\n":true}'],
    ['{"a":true}', '{"b":null}', '{"\\u0061":true}', '{"a":null,"a":null}'],
  );
  check(
    { type: 'object', propertyNames: { pattern: '^[a-z]+$', maxLength: 2 } },
    ['{"ab":1}', '{}'],
    ['{"abc":1}', '{"A":1}'],
  );
  check(
    { type: 'object', minProperties: 1, maxProperties: 2 },
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{}', '{"a":1,"b":2,"c":3}'],
  );
  check(
    {
      type: 'object',
      properties: { a: {}, b: {}, c: {} },
      additionalProperties: false,
      minProperties: 2,
    },
    ['{"c":1,"a":2}', '{"a":1,"b":2,"c":3}'],
    ['{"a":1}', '{}'],
  );
  refuses(
    { type: 'object', minProperties: 2 },
    /"minProperties" of the schema at "#".*repeat a name/,
  );
  check(
    JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"null"}},"required":["__proto__"],"additionalProperties":false}',
    ),
    ['{"__proto__":null}'],
    ['{}', '{"__proto__":1}'],
  );
  check(
    { const: { b: [1, { c: 'x' }], a: null } },
    ['{"a":null,"b":[1,{"c":"x"}]}', '{"b":[1,{"c":"x"}],"a":null}'],
    ['{"a":null}', '{"a":null,"b":[1,{}]}'],
  );
});

test('lists', () => {
  check(
    { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
    ['[1]', '[1,2,3]'],
    ['[]', '[1,2,3,4]', '[1,]', '["a"]'],
  );
  check(
    { prefixItems: [{ type: 'null' }, { type: 'integer' }], items: { type: 'string' } },
    ['[]', '[null]', '[null,1]', '[null,1,"a","b"]', '5'],
    ['[1]', '[null,"a"]', '[null,1,2]'],
  );
  check({ type: 'array', prefixItems: [{}, false] }, ['[]', '[1]'], ['[1,2]']);
  check(
    { type: 'array', items: { type: 'integer' }, contains: { minimum: 5 }, minContains: 2 },
    ['[5,6]', '[1,5,2,9,3]'],
    ['[5]', '[]', '[1,2,5]', '["a",5,6]'],
  );
  check(
    { type: 'array', uniqueItems: true, items: { enum: ['a', 1, null] }, minItems: 2 },
    ['["a",1]', '[null,"a",1]'],
    ['["a"]', '["a","a"]', '[1,2]'],
  );
  check({ type: 'array', uniqueItems: true, maxItems: 1 }, ['[]', '[{}]'], ['[1,1]', '[1,2]']);
  check({ type: 'string', uniqueItems: true, contains: { multipleOf: 3 } }, ['"a"'], ['[]']);
  refuses({ enum: [[1]], contains: { minimum: 3 } }, /"contains" of the schema at "#"/);
  refuses({ type: 'array', uniqueItems: true, items: { $ref: '#' } }, /"uniqueItems"/);
  refuses(
    { properties: { tags: { type: 'array', uniqueItems: true } } },
    /"uniqueItems" of the schema at "#\/properties\/tags" cannot be enforced/,
  );
});

test('schemas that are combined', () => {
  check({ oneOf: [{ type: 'string' }, { type: 'integer' }] }, ['"a"', '1'], ['null', '1.5']);
  check(
    { oneOf: [{ maxLength: 3 }, { minLength: 2 }], type: 'string' },
    ['"a"', '"abcd"'],
    ['"ab"', '"abc"'],
  );
  check({ not: { type: ['string', 'null'] } }, ['1', 'true', '[]', '{}'], ['"a"', 'null']);
  check({ type: 'string', not: { enum: ['a', 'b'] } }, ['""', '"c"', '"ab"'], ['"a"', '"b"']);
  check({ type: 'object', not: { required: ['a'] } }, ['{}', '{"b":1}'], ['{"a":1}']);
  check(
    {
      type: 'object',
      properties: { country: { enum: ['US', 'NL'] }, code: { type: 'string' } },
      required: ['country', 'code'],
      if: { properties: { country: { const: 'US' } } },
      then: { properties: { code: { pattern: '^[0-9]{5}$' } } },
      else: { properties: { code: { pattern: '^[0-9]{4}$' } } },
      additionalProperties: false,
    },
    ['{"country":"US","code":"12345"}', '{"code":"1234","country":"NL"}'],
    ['{"country":"US","code":"1234"}', '{"country":"NL","code":"12345"}', '{"code":"1234"}'],
  );
  check({ dependentRequired: { a: ['b'] } }, ['{}', '{"b":1}', '{"b":1,"a":2}', '3'], ['{"a":1}']);
  check(
    { allOf: [{ properties: { a: {} } }], properties: { b: {} }, unevaluatedProperties: false },
    ['{"a":1,"b":2}', '{}', '5'],
    ['{"c":1}'],
  );
  refuses(
    { oneOf: [{ type: 'integer' }, { minimum: 2 }] },
    /"oneOf" of the schema at "#\/oneOf\/0" cannot be enforced/,
  );
  refuses(
    { properties: { a: { not: { multipleOf: 3 } } } },
    /"not" of the schema at "#\/properties\/a"/,
  );
});

test('references within the document', () => {
  check(
    {
      $defs: {
        'a/b~c%': {
          type: 'object',
          properties: { next: { $ref: '#/$defs/a~1b~0c%25' } },
          additionalProperties: false,
        },
      },
      $ref: '#/$defs/a~1b~0c%25',
    },
    ['{}', '{"next":{"next":{}}}'],
    ['{"next":1}', '{"a":1}'],
  );
  check({ $defs: { a: { $anchor: 'x', type: 'null' } }, $ref: '#x' }, ['null'], ['1']);
  check(
    { $id: 'https://example.com/s', items: { $ref: 's' }, type: 'array' },
    ['[[],[[]]]'],
    ['[1]'],
  );
  refuses(
    { items: { $ref: '#/$defs/none' } },
    /"\$ref" of the schema at "#\/items" \("#\/\$defs\/none"\) leads to nothing/,
  );
  refuses(
    { $ref: 'https://example.com/schema' },
    /"\$ref" of the schema at "#".*outside the document/,
  );
  refuses({ $ref: '#' }, /"\$ref".*leads back to itself/);
  refuses(
    {
      $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { anyOf: [{ $ref: '#/$defs/a' }] } },
      $ref: '#/$defs/a',
    },
    /leads back to itself/,
  );
  refuses({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, /allows no value/);
  refuses({ $schema: 'https://example.com/dialect' }, /"\$schema"/);
  refuses({ anyOf: [{ $dynamicRef: '#a' }] }, /"\$dynamicRef" of the schema at "#\/anyOf\/0"/);
});

test('invalid values of keywords are refused with their place', () => {
  for (const [keyword, value] of Object.entries({
    ...{ type: 5, enum: 'a', minimum: '3', maxLength: -1, minItems: 1.5, pattern: 3, format: 1 },
    ...{ required: 'a', properties: [], items: [{}], allOf: [], anyOf: {}, not: 3, multipleOf: -2 },
    ...{ uniqueItems: 'yes', $ref: 3, $anchor: '#', $id: '#x', dependentRequired: 3, if: 3 },
    ...{
      exclusiveMaximum: true,
      patternProperties: { '(': {} },
      propertyNames: 1,
      prefixItems: {},
    },
  })) {
    const escaped = keyword.replace('$', '\\$');
    const place = keyword === '$id' || keyword === '$anchor' ? '.*' : '#\\/properties\\/x';
    refuses(
      { properties: { x: { [keyword]: value } } },
      new RegExp(`"${escaped}" of the schema at "${place}`),
    );
  }
});

test('hostile schemas end in GRAMMAR_INVALID, at once', () => {
  const cycle = {};
  cycle.properties = { a: cycle };
  const nested = (depth, inner) => {
    let schema = { type: 'null' };
    for (let i = 0; i < depth; i++) schema = inner(schema);
    return schema;
  };
  const chain = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }]),
  );
  for (const [schema, message] of [
    [cycle, /no JSON value/],
    [{ minimum: 3n }, /no JSON value/],
    [() => 1, /no JSON value/],
    [undefined, /no JSON value/],
    [null, /an object, true or false/],
    ['text', /an object, true or false/],
    [[], /an object, true or false/],
    [
      {
        get type() {
          throw new Error('a getter');
        },
      },
      /a getter/,
    ],
    [nested(10_000, (items) => ({ items })), /no JSON value|500 deep/],
    [nested(1000, (inner) => ({ allOf: [inner] })), /500 deep/],
    [{ $defs: chain, $ref: '#/$defs/d0' }, /600 others/],
    [
      {
        allOf: Array.from({ length: 24 }, (_, i) => ({
          anyOf: [{ required: [`a${i}`] }, { required: [`b${i}`] }],
        })),
      },
      /too large/,
    ],
    [false, /allows no value/],
    [{ type: 'string', enum: [1, 2] }, /allows no value/],
  ])
    refuses(schema, message);
  const start = process.cpuUsage();
  check(
    nested(200, (items) => ({ type: 'array', items })),
    ['[]', '[[[]]]'],
    ['null'],
  );
  check(
    { enum: Array.from({ length: 10_000 }, (_, i) => `word ${i}`) },
    ['"word 1"', '"word 9999"'],
    ['"word"', '"word 10000"'],
  );
  check(
    { anyOf: Array.from({ length: 4096 }, (_, i) => ({ const: `v${i}` })) },
    ['"v7"', '"v4095"'],
    ['"v4096"'],
  );
  check(
    {
      oneOf: Array.from({ length: 300 }, (_, i) => ({
        properties: { kind: { const: i }, v: { type: 'null' } },
        required: ['kind'],
        type: 'object',
      })),
    },
    ['{"kind":3,"v":null}'],
    ['{"kind":300}', '{}'],
  );
  const { user } = process.cpuUsage(start);
  assert.ok(user < 8e6, `${user / 1e6} s of the processor`);
});

test('random patterns agree with RegExp', () => {
  const next = generator(3);
  const random = (n) => Math.floor(next() * n);
  const pick = (list) => list[random(list.length)];
  const expression = (depth) => {
    const atom = () => {
      if (depth > 0 && random(3) === 0) return `(${expression(depth - 1)})`;
      return pick([
        'a',
        'b',
        '.',
        '[ab]',
        '[^a]',
        '\\d',
        '\\w',
        '\\S',
        '\\n',
        '[a-c0-9]',
        'é',
        '🐲',
        '^',
        '$',
      ]);
    };
    const term = () => {
      const part = atom();
      return part === '^' || part === '$'
        ? part
        : part + pick(['', '', '', '*', '+', '?', '{2}', '{0,2}', '*?']);
    };
    const sequence = () => Array.from({ length: random(4) }, term).join('');
    return Array.from({ length: 1 + random(2) }, sequence).join('|');
  };
  const characters = ['a', 'b', 'c', '0', '\n', ' ', 'é', '🐲', '"', '\\', '\u0001', '\ud800'];
  let matched = 0;
  for (let i = 0; i < 150; i++) {
    const pattern = expression(2);
    const wanted = new RegExp(pattern, 'u');
    let grammar;
    try {
      grammar = grammarOf({ type: 'string', pattern });
    } catch (error) {
      assert.match(error.message, /allows no value/); // "a^" is never found
    }
    for (let j = 0; j < 30; j++) {
      const text = Array.from({ length: random(6) }, () => pick(characters)).join('');
      const matches = wanted.test(text);
      if (matches) matched++;
      assert.equal(
        grammar?.accepts(JSON.stringify(text)) ?? false,
        matches,
        `${pattern}: ${JSON.stringify(text)}`,
      );
    }
  }
  assert.ok(matched > 500);
});
