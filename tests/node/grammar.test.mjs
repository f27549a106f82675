// Structured output: the built-in model's answer parses and validates for every schema, and the
// trace shows the tokens that a grammar forbids.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { generator } from '../support/gguf-writer.mjs';
import { randomSchema } from '../support/schemas.mjs';
import { collect, withModel } from '../support/support.mjs';

const built = (use) => withModel('storybook', {}, use);

test('every answer parses and validates, over 200 random schemas', { timeout: 300_000 }, (t) =>
  built(async (model) => {
    const next = generator(11);
    const random = (n) => Math.floor(next() * n);
    const ajv = new Ajv.default({ strict: false });
    let longest = 0;
    for (let i = 0; i < 200; i++) {
      const schema = randomSchema(random);
      const { choices, usage } = await model.createCompletion({
        ...{
          prompt: 'The child wrote down:',
          max_tokens: 150,
          seed: i,
          temperature: [0, 0.8, 1.5][i % 3],
        },
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
      });
      const [{ text, finish_reason }] = choices;
      assert.equal(finish_reason, 'stop', `${JSON.stringify(schema)}: ${text}`);
      assert.ok(
        ajv.validate(schema, JSON.parse(text)),
        `${text} is no ${JSON.stringify(schema)}: ${ajv.errorsText()}`,
      );
      longest = Math.max(longest, usage.completion_tokens);
    }
    t.diagnostic(`at most ${longest} tokens`);
  }),
);

test('json_object gives an object', () =>
  built(async (model) => {
    for (let seed = 0; seed < 3; seed++) {
      const { choices } = await model.createCompletion({
        ...{ prompt: 'A list:', max_tokens: 400, seed, response_format: { type: 'json_object' } },
        // without this bias, the small model does not finish
        logit_bias: Object.fromEntries((await model.tokenize('}')).map((id) => [id, 8])),
      });
      const [{ text, finish_reason }] = choices;
      assert.match(text, /^\{/);
      if (finish_reason === 'stop') assert.equal(typeof JSON.parse(text), 'object');
    }
  }));

test('an EBNF grammar holds the text, and the trace tells what it forbade', () =>
  built(async (model) => {
    const grammar = await model.createGrammar({
      type: 'ebnf',
      grammar: 'root ::= ("yes" | "no") (", " ("yes" | "no"))* "!"',
    });
    for (let seed = 0; seed < 5; seed++) {
      const session = model.createSession({ seed });
      const steps = await collect(
        session.generate('Are you a cat?', { grammar, max_tokens: 60, logit_bias: { 33: 1 } }),
      );
      const text = steps.map((step) => step.text).join('');
      if (steps.length < 60) assert.match(text, /^(yes|no)(, (yes|no))*!$/);
      assert.ok(steps.length > 1);
      for (const { trace, token } of steps) {
        const stage = trace.stages.find(({ name }) => name === 'grammar');
        assert.ok(stage.removed > 2900 && stage.kept + stage.removed === 3072, stage.reason);
        assert.match(stage.reason, /^grammar: kept/);
        assert.equal(trace.draw.token, token);
      }
      const explanation = await session.explain(300);
      assert.equal(explanation.fate.stage, 'grammar');
      await session.dispose();
    }
    const session = model.createSession();
    await session.sync('Are you a cat?');
    const { stages, draw } = await session.candidates({ grammar, temperature: 0 });
    assert.equal(stages[0].name, 'grammar');
    assert.match(await model.tokenText(draw.token), /^[yn]/);
    const bits = new Int32Array(96).fill(0);
    bits[300 >> 5] = 1 << (300 & 31);
    assert.equal((await session.candidates({ grammar: bits })).draw.token, 300);
    await assert.rejects(session.candidates({ grammar: new Int32Array(3) }), {
      code: 'SAMPLER_BAD_OPTION',
    });
  }));

test('what is no grammar is refused with the reason, and the next one works', () =>
  built(async (model) => {
    await assert.rejects(model.createGrammar({ type: 'ebnf', grammar: 'root ::= ' }), {
      code: 'GRAMMAR_INVALID',
      message: /line 1, column 10/,
    });
    await assert.rejects(model.createGrammar({ type: 'ebnf', grammar: 'tree ::= "a"' }), {
      code: 'GRAMMAR_INVALID',
      message: /root/,
    });
    await assert.rejects(model.createGrammar({ type: 'json_schema', schema: { type: 5 } }), {
      code: 'GRAMMAR_INVALID',
      message: /[Tt]ype/,
    });
    await assert.rejects(model.createGrammar({ type: 'json_schema', schema: undefined }), {
      code: 'GRAMMAR_INVALID',
    });
    await assert.rejects(model.createGrammar({ type: 'ebnf', grammar: 'x'.repeat(300_000) }), {
      code: 'GRAMMAR_INVALID',
    });
    await assert.rejects(
      model.createCompletion({
        prompt: 'a',
        grammar: 'root ::= "a"',
        response_format: { type: 'json_object' },
      }),
      {
        code: 'INVALID_ARGUMENT',
      },
    );
    await assert.rejects(
      model.createCompletion({ prompt: 'a', response_format: { type: 'xml' } }),
      { code: 'INVALID_ARGUMENT' },
    );
    const { choices } = await model.createCompletion({ prompt: 'a', grammar: 'root ::= "abc"' });
    assert.equal(choices[0].text, 'abc');
    assert.equal(choices[0].finish_reason, 'stop');
  }));
