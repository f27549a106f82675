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

/** The types that have the options of a method. */
const OPTION_TYPES = {
  cntp: ['CntpOptions'],
  beam: ['BeamSearchOptions'],
  vote: ['VoteOptions'],
  navigate: ['NavigateListOptions', 'NavigateWaysOptions'],
  decide: ['DecisionOptions'],
  ngram: [],
  recycling: ['RecyclingSpeculation'],
  draft: ['DraftModelSpeculation'],
  recycled: ['RecycledEdit', 'EditWithPrompt'],
  spatten: ['SpattenEdit', 'EditWithPrompt'],
  act: ['ActEdit', 'EditWithPrompt'],
  prepend: ['PrependOptions', 'PrependSettings'],
  text2token: ['VectorTokensOptions'],
};
/** Other members of these types: what the list does not name, and what is refused. */
const OTHERS = {
  cntp: ['name'],
  recycled: ['type'],
  spatten: ['type'],
  act: ['type'],
  beam: ['max_tokens'],
  vote: ['max_tokens'],
  navigate: ['max_tokens'],
  decide: [
    ...['state', 'input', 'model', 'prompt_cache_key', 'prompt_cache_options'],
    ...['safety_identifier', 'files', 'images', 'videos'],
  ],
};
/** Members that a caller must give, so that they have no default in their type. */
const REQUIRED = ['NavigateWaysOptions.mode', 'RecyclingSpeculation.recycling'];

test('the options of all methods and their comments are those of the list', () => {
  assert.deepEqual(names(methods).sort(), Object.keys(OPTION_TYPES).sort());
  for (const { name: method, options } of methods) {
    const members = entries.filter(({ name }) => OPTION_TYPES[method].includes(name.split('.')[0]));
    const docs = members.flatMap(({ name, doc }) => {
      const [owner, member] = name.split('.');
      return member ? [{ owner, member, doc: doc.replace(/\s+/g, ' ') }] : [];
    });
    const expected = [...names(options), ...(OTHERS[method] ?? [])];
    const found = new Set(docs.map(({ member }) => member));
    assert.deepEqual([...found].sort(), expected.sort(), method);
    for (const { type, name, default: value, min, max } of options) {
      if (type === 'other') continue;
      const shown = typeof value === 'string' ? `'${value}'` : value;
      for (const { owner, doc } of docs.filter(({ member }) => member === name)) {
        const place = `${owner}.${name}: ${doc}`;
        if (!REQUIRED.includes(`${owner}.${name}`))
          assert.ok(doc.endsWith(`Default: ${shown}.`), place);
        if (type === 'number') assert.match(doc, RegExp(`, ${min} to ${max}[.;]`), place);
      }
    }
  }
});
