// Exported traces match the published schema and import as they were exported; files that are no
// traces are refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { exportTrace, importTrace } from '../../dist/node-trace.js';
import { generator } from '../support/gguf-writer.mjs';
import { collect, inTree, withModel } from '../support/support.mjs';

const schema = JSON.parse(readFileSync(inTree('dist/trace.schema.json'), 'utf8'));
const valid = new Ajv.default({ allowUnionTypes: true }).compile(schema);

/** Every stage is active, and a banned token has an infinite logit. */
const options = {
  ...{
    seed: 2n ** 63n,
    logit_bias: { 300: -1.5, 301: -Infinity },
    allowed_tokens: Array.from({ length: 3000 }, (_, i) => i + 3),
  },
  ...{
    banned_tokens: [310],
    penalty_repeat: 1.1,
    dry_multiplier: 0.5,
    dry_sequence_breakers: ['\n', '"'],
    top_n_sigma: 4,
  },
  ...{
    top_k: 0,
    typical_p: 0.98,
    top_p: 0.97,
    min_p: 0.001,
    xtc_probability: 0.5,
    xtc_threshold: 0.05,
    dynatemp_range: 0.2,
  },
};

const recorded = (use) =>
  withModel('storybook', { worker: false }, async (model) => {
    const session = model.createSession();
    await session.sync('One day the cat saw a');
    const prompt = session.tokens;
    const steps = await collect(
      session.generate(undefined, {
        ...options,
        max_tokens: 8,
        trace: { top_n: 20, all_removed: true },
      }),
    );
    steps.push(
      ...(await collect(
        session.generate(undefined, { max_tokens: 1, mirostat: 2, trace: { top_n: 3072 } }),
      )),
    );
    steps.push(...(await collect(session.generate(undefined, { max_tokens: 1, trace: false }))));
    return use({ model: model.info, prompt, seed: options.seed, options, steps });
  });

test('an exported trace holds to its schema and comes back as it went', () =>
  recorded((trace) => {
    const text = JSON.stringify(exportTrace(trace));
    assert.ok(valid(JSON.parse(text)), JSON.stringify(valid.errors));
    const { model, ...back } = importTrace(text);
    const { model: info, ...went } = trace;
    for (const [name, value] of Object.entries(model)) assert.equal(value, info[name]);
    // the file has no rank and no entropy: the import computes them from the step's trace where
    // possible
    const steps = trace.steps.map((step) => {
      const listed = step.trace?.candidates.some(({ token }) => token === step.token);
      return {
        ...step,
        rank: listed ? step.rank : NaN,
        entropy: step.trace ? step.entropy : NaN,
      };
    });
    assert.ok(steps.some(({ rank }) => rank >= 0));
    assert.deepEqual(back, { ...went, steps });
    assert.deepEqual(importTrace(JSON.parse(text)).steps, steps);
    // and a second time
    assert.deepEqual(JSON.parse(JSON.stringify(exportTrace({ model, ...back }))), JSON.parse(text));
    assert.equal(back.steps.at(-1).trace, undefined);
    assert.ok(back.steps.at(-2).trace.mu > 0);
    assert.ok(back.steps.some((step) => step.trace?.stages.some(({ coin }) => coin !== undefined)));
  }));

test('infinite logits come back', () =>
  recorded((trace) => {
    const [step] = trace.steps;
    const candidates = step.trace.candidates.map((candidate, i) =>
      i ? candidate : { ...candidate, logit: -Infinity },
    );
    const file = JSON.parse(
      JSON.stringify(
        exportTrace({ ...trace, steps: [{ ...step, trace: { ...step.trace, candidates } }] }),
      ),
    );
    assert.ok(valid(file), JSON.stringify(valid.errors));
    assert.equal(importTrace(file).steps[0].trace.candidates[0].logit, -Infinity);
  }));

test('our check of the schema and the one of ajv agree on changed files', () =>
  recorded((trace) => {
    const whole = JSON.parse(
      JSON.stringify(exportTrace({ ...trace, steps: trace.steps.slice(0, 2) })),
    );
    const next = generator(5);
    const random = (list) => list[Math.floor(next() * list.length)];
    const values = [null, -1, 0, 0.5, 1, 1e20, '', 'x', 'ff', '5', true, [], {}, 'Infinity'];
    const counts = { valid: 0, refused: 0 };
    for (let i = 0; i < 3000; i++) {
      const file = structuredClone(whole);
      let parent = file;
      let key = random(Object.keys(file));
      while (typeof parent[key] === 'object' && parent[key] && next() < 0.9) {
        const keys = Object.keys(parent[key]);
        if (keys.length === 0) break;
        parent = parent[key];
        key = random(keys);
      }
      if (next() < 0.1 && !Array.isArray(parent)) delete parent[key];
      else if (next() < 0.1 && !Array.isArray(parent)) parent.another = 1;
      else parent[key] = random(values);
      const theirs = valid(file);
      counts[theirs ? 'valid' : 'refused']++;
      try {
        importTrace(file);
        assert.ok(theirs, `only ajv refuses ${key}: ${JSON.stringify(valid.errors)}`);
      } catch (error) {
        // what no schema can say
        if (theirs) assert.match(error.message, /has token|\/options|64 bits/, key);
      }
    }
    assert.ok(counts.valid > 300 && counts.refused > 300, JSON.stringify(counts));
  }));

test('what is no trace is refused with the place', () =>
  recorded((trace) => {
    const whole = JSON.parse(
      JSON.stringify(exportTrace({ ...trace, steps: trace.steps.slice(0, 1) })),
    );
    const refused = (change, place) => {
      const file = structuredClone(whole);
      change(file);
      assert.throws(() => importTrace(file), {
        name: 'TokenglassError',
        code: 'TRACE_INVALID',
        message: place,
      });
      assert.throws(() => importTrace(JSON.stringify(file)), { code: 'TRACE_INVALID' });
    };
    assert.throws(() => importTrace('{"format": '), { code: 'TRACE_INVALID', message: /not JSON/ });
    for (const value of [undefined, null, 5, [], {}])
      assert.throws(() => importTrace(value), { code: 'TRACE_INVALID' });
    refused((file) => (file.version = 2), /\/version/);
    refused((file) => (file.extra = 1), /additional/);
    refused((file) => (file.seed = '18446744073709551616'), /seed/);
    refused((file) => (file.seed = '-1'), /\/seed/);
    refused((file) => (file.prompt = [1.5]), /\/prompt\/0/);
    refused((file) => (file.steps[0].bytes = 'xyz'), /\/steps\/0\/bytes/);
    refused((file) => (file.steps[0].trace.candidates[3].p = 1.5), /\/steps\/0\/trace/);
    refused((file) => (file.steps[0].trace.candidates[3].token = 3072), /token 3072/);
    refused((file) => delete file.steps[0].trace.draw, /\/steps\/0\/trace/);
    refused((file) => (file.options.seed = 'many'), /options/);
    // every field of the file removed, and every field replaced by something else
    let changes = 0;
    const walk = (value, path) => {
      if (
        typeof value !== 'object' ||
        value === null ||
        path.includes('options') ||
        path.at(-1) === 'params'
      )
        return;
      for (const key of Object.keys(value).slice(0, 12)) {
        const at = (file) => path.reduce((inside, name) => inside[name], file);
        refused((file) => (at(file)[key] = Array.isArray(value[key]) ? 'text' : [{}]), /./);
        if (!Array.isArray(value)) refused((file) => delete at(file)[key], /./);
        changes++;
        walk(value[key], [...path, key]);
      }
    };
    walk(whole, []);
    assert.ok(changes > 100, `${changes} changes`);
  }));
