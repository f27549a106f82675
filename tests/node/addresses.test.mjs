// The lint's check of the project's addresses finds what is missing and what is repeated.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addressFaults } from '../lint/addresses.mjs';
import { inTree } from '../support/support.mjs';

const fields = {
  homepage: 'https://a.example',
  repository: { type: 'git', url: 'git+https://b.example/p/source.git' },
  bugs: { url: 'https://c.example/p/issues' },
};

test('package.json has the three addresses', () => {
  const ours = JSON.parse(readFileSync(inTree('package.json'), 'utf8'));
  assert.deepEqual(addressFaults(ours, []), []);
  assert.equal(ours.repository.type, 'git');
});

test('a missing address and one of another scheme are found', () => {
  for (const name of Object.keys(fields)) {
    const { [name]: _, ...others } = fields;
    assert.match(addressFaults(others, []).join(), new RegExp(`^package.json: ${name}`));
  }
  const old = { ...fields, homepage: 'http://a.example' };
  assert.deepEqual(addressFaults(old, []), ['package.json: homepage is no https address']);
});

test('a file that repeats an address is found, in every form', () => {
  for (const text of [
    'see https://a.example/',
    'git clone git@b.example:p/source.git',
    'https://b.example/p/source',
    'ssh://b.example/p/source.git',
    '[problems](https://c.example/p/issues?new)',
  ])
    assert.equal(addressFaults(fields, [['README.md', text]]).length, 1, text);
  assert.deepEqual(addressFaults(fields, [['README.md', 'https://d.example']]), []);
});
