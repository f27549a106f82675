// The pre-tokenizers' tables of character classes, made from Unicode's data, agree with a
// JavaScript engine's regular expressions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as normalization from '../../wasm/toolchain/generate-normalization.mjs';
import { bits, current } from '../../wasm/toolchain/generate-unicode.mjs';

test('src/tokenizer/unicode_tables.h is what its generator makes', async () => {
  assert.ok(await current(), 'run node wasm/toolchain/generate-unicode.mjs');
});

test(
  'src/tokenizer/normalization_data.h is what its generator makes',
  { skip: !normalization.sameUnicode() && `this runtime's Unicode is ${process.versions.unicode}` },
  () => assert.ok(normalization.current(), 'run node wasm/toolchain/generate-normalization.mjs'),
);

test('every code point that this runtime knows has the properties it gives', async () => {
  const all = await bits();
  const expressions = [
    [/^[\p{Lu}\p{Lt}]$/u, 1],
    [/^\p{Ll}$/u, 2],
    [/^[\p{Lm}\p{Lo}]$/u, 4],
    [/^\p{M}$/u, 8],
    [/^\p{N}$/u, 16],
    [/^\p{P}$/u, 32],
    [/^\p{S}$/u, 64],
    [/^\p{White_Space}$/u, 128],
  ];
  const assigned = /^\P{Cn}$/u;
  const different = [];
  for (let code = 0; code < all.length; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (!assigned.test(character)) continue; // the runtime's Unicode is older
    const there = expressions.reduce(
      (sum, [expression, bit]) => sum + (expression.test(character) ? bit : 0),
      0,
    );
    if (there !== all[code]) different.push(code.toString(16));
  }
  // Unicode sometimes moves a character to another category: a few characters, never many.
  assert.ok(different.length <= 8, different.join(' '));
});
