// Every public member has a JSDoc comment, every call an example, and no signature an anonymous
// object type. The comments of the sampler's options name the defaults that the engine uses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stages } from '../../dist/node.js';
import { methods } from '../../dist/node-methods.js';
import { publicDeclarations } from '../support/declarations.mjs';

const { entries, anonymous } = publicDeclarations();
const names = (list) => list.map(({ name }) => name);

test('every public member has a JSDoc comment', () => {
  assert.ok(entries.length > 300, `${entries.length} members`);
  assert.deepEqual(names(entries.filter(({ doc }) => doc.replace(/@example[^]*/, '') === '')), []);
});

test('every call has an example', () => {
  const calls = entries.filter(({ call }) => call);
  for (const name of ['loadModel', 'Model.score', 'Session.generate', 'compareTrace'])
    assert.ok(names(calls).includes(name), name);
  assert.deepEqual(names(calls.filter(({ examples }) => examples.length === 0)), []);
});

test('no public type is anonymous', () => assert.deepEqual(anonymous, []));

test('functions and methods are camelCase, keys of data are snake_case', () => {
  const wrong = entries.filter(({ name, call }) => {
    const [owner, member] = name.split('.');
    if (member?.startsWith('[')) return false;
    if (call) return !/^[a-z][a-zA-Z]*$/.test(member ?? owner);
    return member !== undefined && !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(member);
  });
  assert.deepEqual(names(wrong), []);
});

test("the comments of the sampler's options have the right defaults", () => {
  const docs = new Map(entries.map(({ name, doc }) => [name, doc]));
  for (const { name: stage, options } of stages) {
    for (const { name, default: value } of options) {
      const doc = docs.get(`StageOptions.${name}`);
      assert.ok(doc?.startsWith(`${stage}: `), `${name}: ${doc}`);
      assert.match(doc, new RegExp(`Default:\\s${value}\\.(\\s|$)`), name);
    }
  }
});

test('the options of the methods of generate() and their comments are those of the list', () => {
  const own = methods.filter(({ kind }) => kind === 'generate');
  assert.ok(own.length > 0);
  for (const { name: method, options } of own) {
    const owner = `${method[0].toUpperCase()}${method.slice(1)}Options.`;
    const docs = new Map(
      entries
        .filter(({ name }) => name.startsWith(owner))
        .map(({ name, doc }) => [name.slice(owner.length), doc.replace(/\s+/g, ' ')]),
    );
    assert.deepEqual([...docs.keys()].sort(), ['name', ...options.map(({ name }) => name)].sort());
    for (const { name, default: value } of options) {
      const shown = typeof value === 'string' ? `'${value}'` : value;
      assert.ok(docs.get(name).endsWith(`Default: ${shown}.`), `${owner}${name}`);
    }
  }
});
