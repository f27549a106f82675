// In: dist/. Out: passes when each wasm variant and the library's core entry keep their size limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizes } from '../../web/sizes.mjs';

test('both wasm variants and the core entry were measured', () => {
  const names = sizes().map(({ name }) => name);
  for (const name of ['tokenglass.simd128.wasm', 'tokenglass.relaxed.wasm', 'index.js']) assert.ok(names.includes(name), name);
});

for (const { name, gzipped, limit } of sizes()) {
  test(`${name} has at most ${limit} bytes gzipped`, () => {
    assert.ok(gzipped > 0 && gzipped <= limit, `${gzipped} bytes`);
  });
}
