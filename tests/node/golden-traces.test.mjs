// tokenglass/testing: our own golden file of the built-in model's generations still matches, and
// differences are reported in words.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compareTrace, recordTrace } from '../../dist/testing.js';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { inTree, withModel } from '../support/support.mjs';

const GOLDEN = inTree('tests/golden/storybook.golden.json');
// simd128 gives the same bits on every processor. The relaxed kernels of another processor may
// round an activation's code the other way, and a draw near a limit then gives another token.
const floats = { worker: false, kernels: 'simd128', cache_type_k: 'f32', cache_type_v: 'f32' };

const CASES = [
  { name: 'the defaults', prompt: 'Once upon a time there was a', max_tokens: 12 },
  { name: 'greedy', prompt: 'The old man said', max_tokens: 8, options: { temperature: 0 } },
  {
    name: 'every stage',
    prompt: 'One day the cat saw a little',
    max_tokens: 8,
    options: {
      ...{
        seed: 4,
        penalty_repeat: 1.1,
        dry_multiplier: 0.5,
        top_n_sigma: 3,
        typical_p: 0.97,
        xtc_probability: 0.4,
      },
      ...{ xtc_threshold: 0.05, dynatemp_range: 0.3, logit_bias: { 300: -1, 301: -Infinity } },
    },
  },
];

test('the built-in model chooses as it did when this was recorded', () =>
  withModel('storybook', floats, async (model) => {
    if (process.env.TOKENGLASS_RECORD) await recordTrace(model, CASES, { path: GOLDEN, top_n: 8 });
    const { same, report } = await compareTrace(model, GOLDEN, { tolerance: 0 });
    assert.ok(same, report);
    const { cases } = JSON.parse(readFileSync(GOLDEN, 'utf8'));
    assert.deepEqual(
      cases.map(({ name }) => name),
      CASES.map(({ name }) => name),
    );
    assert.ok(
      cases.every(
        ({ steps }) =>
          steps.length >= 8 && steps.every(({ candidates }) => candidates.length === 8),
      ),
    );
  }));

test('a difference is reported: the token before and after, and the stage that decided differently', () =>
  withModel('storybook', floats, async (model) => {
    const golden = await recordTrace(model, CASES, { top_n: 8 });
    assert.deepEqual(await compareTrace(model, JSON.parse(JSON.stringify(golden))), {
      same: true,
      differences: [],
      report: '',
    });
    assert.deepEqual(
      await recordTrace(model, CASES, { top_n: 8 }),
      golden,
      'recorded twice, the same',
    );

    const changed = structuredClone(golden);
    const step = changed.cases[0].steps[3];
    step.candidates[2].p += 0.25;
    const { same, differences, report } = await compareTrace(model, changed);
    assert.equal(same, false);
    assert.equal(differences.length, 1);
    const [{ case: name, step: at, token, before, after, message }] = differences;
    assert.deepEqual([name, at, token], ['the defaults', 3, step.candidates[2].token]);
    assert.ok(Math.abs(before - after - 0.25) < 1e-9);
    assert.equal(report, message);
    assert.match(message, /the defaults, step 3: ".+" \(\d+\): p 0\.\d{4} → 0\.\d{4}/);
    assert.equal((await compareTrace(model, changed, { tolerance: 0.3 })).same, true);

    // other settings: the report names the stage and the reason
    const stricter = structuredClone(golden);
    stricter.cases[0].options.min_p = 0.4;
    const moved = await compareTrace(model, stricter);
    assert.ok(
      moved.differences.some(({ message }) =>
        /kept → removed by min_p \(min_p: kept/.test(message),
      ),
      moved.report,
    );
    const other = structuredClone(golden);
    other.cases[1].steps[2].token = 300;
    const { report: drawn } = await compareTrace(model, other);
    assert.match(drawn, /^greedy, step 2: drawn .* \(300\) → /m);
  }));

test('another model is reported as another model', () =>
  withModel('storybook', floats, async (model) => {
    const golden = await recordTrace(model, CASES.slice(0, 1));
    await withModel(writeGguf(tinyLlama()), { worker: false }, async (tiny) => {
      const { same, differences } = await compareTrace(tiny, golden);
      assert.equal(same, false);
      assert.match(differences[0].message, /fingerprint/);
      assert.match(differences[1].message, /vocabulary/);
    });
    const folder = mkdtempSync(join(tmpdir(), 'tokenglass-golden-'));
    writeFileSync(join(folder, 'no.json'), '{"format": "else"}');
    await assert.rejects(compareTrace(model, join(folder, 'no.json')), { code: 'TRACE_INVALID' });
    rmSync(folder, { recursive: true });
  }));
