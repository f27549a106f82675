// The list of decoding methods: its rows are complete, and the options that a program gives are
// checked against them.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { methods } from '../../dist/node-methods.js';
import { moduleOf } from '../support/module.mjs';
import { inTree } from '../support/support.mjs';

const { readMethodOptions } = await moduleOf('methods/list.ts');
const own = ({ options }) => options.filter(({ type }) => type !== 'other');
const defaultsOf = (method) =>
  Object.fromEntries(own(method).map((option) => [option.name, option.default]));

test('every row names a file, a source and options with defaults in range', () => {
  assert.ok(methods.length > 0);
  assert.equal(new Set(methods.map(({ name }) => name)).size, methods.length);
  for (const { name, file, kind, call, options, source } of methods) {
    assert.ok(existsSync(inTree(`web/methods/${file}`)), name);
    assert.ok(source.title && source.authors && source.year > 1900, name);
    const calls = {
      generate: /^session\.generate\(prompt, \{ method: /,
      speculate: /^session\.generate\(prompt, \{ speculate: /,
      model: /^model\./,
      edit: /^model\.createSession\(\{ edits: \[\{ type: /,
      function: /^[a-zA-Z]+\(model, /,
    };
    assert.match(call, calls[kind], name);
    assert.equal(new Set(options.map((option) => option.name)).size, options.length);
    for (const option of options) {
      assert.match(option.name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      assert.ok(option.meaning.length > 10, option.name);
      if (option.type === 'number')
        assert.ok(option.default >= option.min && option.default <= option.max, option.name);
      if (option.type === 'choice') assert.ok(option.values.includes(option.default), option.name);
    }
  }
});

test('options that are not given have their defaults; others are copied as they are', () => {
  for (const method of methods) {
    assert.deepEqual({ ...readMethodOptions(method.name, undefined, 'x') }, defaultsOf(method));
    const given = { signal: 'unchecked' };
    assert.deepEqual(
      { ...readMethodOptions(method.name, given, 'x', ['signal']) },
      { ...given, ...defaultsOf(method) },
    );
    assert.deepEqual(given, { signal: 'unchecked' });
  }
});

test('an option of another name, type or range is refused by name', () => {
  const refused = (method, options, message) =>
    assert.throws(() => readMethodOptions(method.name, options, 'the call', [], 'of.'), {
      code: 'INVALID_ARGUMENT',
      message,
    });
  for (const method of methods) {
    refused(method, { nothing: 1 }, /: the call has no option "nothing"/);
    refused(method, 5, /the options of the call are 5/);
    for (const option of own(method)) {
      const { name, type } = option;
      const wrong =
        type === 'number'
          ? [option.min - 1, option.max + 1, NaN, '1', null, ...(option.whole ? [1.5] : [])]
          : type === 'choice'
            ? ['none of them', 1, null]
            : [1, 'true', null];
      for (const value of wrong) refused(method, { [name]: value }, RegExp(`: of\\.${name} is `));
      const right =
        type === 'number'
          ? [option.min, option.max]
          : type === 'choice'
            ? option.values
            : [true, false];
      for (const value of right)
        assert.equal(readMethodOptions(method.name, { [name]: value }, 'x')[name], value);
    }
  }
});
