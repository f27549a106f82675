// The JSON Schema test suite through the engine, on both kinds of vocabulary: every valid value of
// an accepted schema can be generated token by token, in any cut, and no invalid one can.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { results } from '../golden/json-schema/table.mjs';
import { generator } from '../support/gguf-writer.mjs';
import { collect, withModel } from '../support/support.mjs';
import { randomTokens, vocabularyModels } from '../support/vocabulary-models.mjs';

const list = results().filter(({ grammar }) => grammar);
const has = (bits, id) => ((bits[id >> 5] >> (id & 31)) & 1) === 1;

/** Whether a grammar lets these tokens come, and then the end. */
async function follows(grammar, ids, end) {
  const state = await grammar.begin();
  try {
    for (const id of ids) {
      if (!has(await state.allowed(), id)) return false;
      state.accept(id);
    }
    return has(await state.allowed(), end);
  } finally {
    state.dispose?.();
  }
}

for (const [kind, vocabulary] of Object.entries(vocabularyModels)) {
  const options = { worker: false, n_threads: 1 };

  test(`the suite, token by token: ${kind} vocabulary`, { timeout: 600_000 }, (t) =>
    withModel(vocabulary.file, options, async (model) => {
      const next = generator(4);
      const random = (n) => Math.floor(next() * n);
      const wrong = [];
      let values = 0;
      for (const { file, description, schema, tests } of list) {
        const grammar = await model.createGrammar({ type: 'json_schema', schema });
        for (const { data, valid } of tests) {
          const text = JSON.stringify(data);
          if (text.length > 400) continue;
          values++;
          const ids = randomTokens(vocabulary, text, random);
          if ((await follows(grammar, ids, vocabulary.end)) !== valid)
            wrong.push(`${file}: ${description}: ${text}`);
        }
        grammar.dispose?.();
      }
      assert.deepEqual(wrong, []);
      t.diagnostic(`${values} values of ${list.length} schemas`);
      assert.ok(values > 1300);
    }),
  );

  test(`generated values parse and validate: ${kind} vocabulary`, { timeout: 600_000 }, (t) =>
    withModel(vocabulary.file, options, async (model) => {
      let whole = 0;
      for (const [index, { file, description, schema, tests }] of list.entries()) {
        // Ajv divides doubles to test multiples, and does not know formats
        if (index % 3 > 0 || /format|multipleOf/.test(file)) continue;
        const ajv = new Ajv.default({ strict: false, validateFormats: false, logger: false });
        let validate;
        try {
          validate = ajv.compile(schema);
          if (tests.some(({ data, valid }) => validate(data) !== valid)) continue;
        } catch {
          continue; // a schema that the judge does not know
        }
        const grammar = await model.createGrammar({ type: 'json_schema', schema });
        for (let seed = 0; seed < 2; seed++) {
          const session = model.createSession({ seed });
          const steps = await collect(
            session.generate([vocabulary.end], {
              grammar,
              max_tokens: 40,
              temperature: 3,
              trace: false,
              logit_bias: { [vocabulary.end]: 4 },
            }),
          );
          await session.dispose();
          if (!steps.at(-1).eog) continue;
          whole++;
          const text = steps.map((step) => step.text).join('');
          assert.ok(validate(JSON.parse(text)), `${file}: ${description}: ${text}`);
        }
      }
      t.diagnostic(`${whole} whole values`);
      assert.ok(whole > 60, String(whole));
    }),
  );
}
