// Structured output and chat templates in real browsers: a schema on both kinds of vocabulary, in a
// worker and in the page's thread, and templates that would hang the page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chatModel } from '../support/tiny-llama.mjs';
import { vocabularyModels } from '../support/vocabulary-models.mjs';
import { HOSTILE, templateOf } from '../templates/hostile.mjs';
import { browsers, openBlank } from './browsers.mjs';

const MAX_MS = 10_000; // for one hostile template, on a busy machine

/** The file as text that a page can take. */
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

/** Runs in the page: texts that a model writes by a schema. */
const structured = async ({ file, end, worker, schema }) => {
  const { loadModel } = await import('/index.js');
  const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
  const model = await loadModel(bytes, { worker });
  const grammar = await model.createGrammar({ type: 'json_schema', schema });
  const texts = [];
  for (let seed = 0; seed < 4; seed++) {
    const session = model.createSession({ seed });
    const options = { grammar, max_tokens: 200, temperature: 3, logit_bias: { [end]: 4 } };
    let text = '';
    for await (const step of session.generate([end], options)) text += step.text;
    texts.push(text);
  }
  await model.dispose();
  return texts;
};

/** Runs in the page: how each template ends, and after how many milliseconds. */
const endings = async (files) => {
  const { loadModel } = await import('/index.js');
  const results = [];
  for (const [name, file] of files) {
    const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
    const model = await loadModel(bytes, { vocab_only: true });
    const start = performance.now();
    const code = await model.applyChatTemplate([{ role: 'user', content: 'Hello' }]).then(
      () => 'none',
      (error) => error.code ?? String(error),
    );
    results.push({ name, code, ms: performance.now() - start });
    await model.dispose();
  }
  return results;
};

const SCHEMA = {
  type: 'object',
  properties: {
    drink: { enum: ['café', 'thé'] },
    cups: { type: 'integer', minimum: 1, maximum: 9 },
  },
  required: ['drink', 'cups'],
  additionalProperties: false,
};

for (const { name, needs } of browsers) {
  describe(`structured output in ${name}`, needs, () => {
    let page, close;
    before(async () => ({ page, close } = await openBlank(name)));
    after(() => close?.());

    for (const [kind, { file, end }] of Object.entries(vocabularyModels))
      for (const worker of [true, false])
        test(`a schema on a ${kind} vocabulary, ${worker ? 'in a worker' : "in the page's thread"}`, async () => {
          const texts = await page.run(structured, {
            file: base64(file),
            end,
            worker,
            schema: SCHEMA,
          });
          assert.equal(texts.length, 4);
          for (const text of texts) {
            const { drink, cups, ...others } = JSON.parse(text);
            assert.ok(SCHEMA.properties.drink.enum.includes(drink), text);
            assert.ok(Number.isInteger(cups) && cups >= 1 && cups <= 9, text);
            assert.deepEqual(others, {});
          }
        });

    test('hostile templates end, and the page goes on', async () => {
      const files = Object.entries(HOSTILE)
        .slice(0, 12)
        .map(([title, value]) => [title, base64(chatModel(templateOf(value)))]);
      for (const { name: title, code, ms } of await page.run(endings, files)) {
        assert.equal(code, 'TEMPLATE_FAILED', title);
        assert.ok(ms < MAX_MS, `${title}: ${ms} ms`);
      }
    });
  });
}
