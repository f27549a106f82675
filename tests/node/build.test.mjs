// Building again after a finished build must write nothing in dist/ and build/.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const targets = (process.env.TOKENGLASS_BUILT ?? 'dist').split(' ').filter(Boolean);

/** Every built file with its modification time, as one text. */
function products() {
  return ['dist', 'build/native', 'build/wasm']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
    )
    .filter((path) => statSync(join(root, path)).isFile())
    .sort()
    .map((path) => `${path} ${statSync(join(root, path)).mtimeMs}`)
    .join('\n');
}

test('a second build does nothing, quickly', () => {
  const before = products();
  assert.match(before, /dist\/tokenglass\.simd128\.wasm/);
  const start = Date.now();
  const output = execFileSync('./build.sh', targets, { cwd: root, encoding: 'utf8' });
  assert.equal(output, 'build: nothing to do\n');
  assert.equal(products(), before);
  assert.ok(Date.now() - start < 10_000, `${Date.now() - start} ms`);
});
