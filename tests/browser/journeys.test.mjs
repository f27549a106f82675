// What people do on the page over several steps, in real browsers: replay, traces, comparison,
// tokenization, models from files and addresses, conversations, JSON. links.test.mjs tests links.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as ask, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';
import { hand, program, read, shown } from './page.mjs';

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}";

/** A small random model that is not the built-in one. extra: metadata. */
function tiny(seed, extra = [], name = `tiny ${seed}`) {
  const { metadata: usual, tensors } = tinyLlama({ seed });
  const metadata = usual.map((entry) =>
    entry[0] === 'llama.context_length' ? [entry[0], 'u32', 1024] : entry,
  );
  return writeGguf({
    metadata: [...metadata, ['general.name', 'string', name], ...extra],
    tensors,
  });
}

for (const { name, needs } of browsers) {
  describe(`journeys in ${name}`, needs, () => {
    let server, page, other, folder, set, press, at, all, settled;
    const files = {};

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tokenglass-journeys-'));
      for (const [file, bytes] of Object.entries({
        'one.gguf': tiny(1),
        'two.gguf': tiny(2),
        'chat.gguf': tiny(3, [['tokenizer.chat_template', 'string', TEMPLATE]]),
        'cut.gguf': tiny(1).subarray(0, 5000),
        'none.gguf': Buffer.from('this is no model at all'),
      }))
        writeFileSync((files[file] = join(folder, file)), bytes);
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages'), folder],
      });
      page = await open(name);
      other = await open(name);
      ({ set, press, at, all, settled } = hand(page));
      await other.goto(`${server.url}blank.html`);
      await begin();
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const begin = async (url = server.url) => {
      await page.goto('about:blank');
      await page.goto(url);
      await page.wait(shown, 0);
      return settled(async () => {});
    };
    const notice = () =>
      page.run(() => document.querySelector('[data-testid="notice"]')?.textContent);
    const modelName = () =>
      page.run(() => document.querySelector('[data-testid="status"]').textContent);
    const candidate = async (n) =>
      at(`[data-testid="candidate"][data-token="${(await page.run(read)).candidates[n].token}"]`);

    test('a check makes the same text again; the seed stays until a new one is asked for', async () => {
      await begin();
      for (let i = 0; i < 3; i++) await press('step');
      await candidate(12);
      const { ids } = await press('step');
      const { note, ids: again } = await press('check');
      assert.match(note, /the same 5 tokens came again/);
      assert.deepEqual(again, ids);
      const { values } = await press('restart');
      await press('step');
      assert.equal((await press('restart')).values.seed, values.seed);
      assert.notEqual((await press('new-seed')).values.seed, values.seed);
    });

    test('a trace is exported, fits its schema, and brings the same text and trace back', async () => {
      await begin();
      for (let i = 0; i < 3; i++) await press('step');
      await candidate(15);
      const start = await press('step');
      /** The text that the button would save. */
      const saved = async () => {
        await press('share');
        const json = await page.run(async () => {
          const made = new Promise((resolve) => {
            const create = URL.createObjectURL;
            URL.createObjectURL = (blob) => {
              URL.createObjectURL = create;
              resolve(blob.text());
              return create.call(URL, blob);
            };
          });
          document.querySelector('[data-testid="export"]').click();
          return made;
        });
        await press('share-dialog-close');
        return JSON.parse(json);
      };
      const trace = await saved();
      const { importTrace } = await import('../../dist/node-trace.js');
      const taken = importTrace(trace);
      assert.deepEqual(
        taken.steps.map(({ token }) => token),
        start.ids,
      );
      assert.notEqual(
        taken.steps[3].trace.draw.token,
        taken.steps[3].token,
        'a chosen token is not the drawn one',
      );
      writeFileSync(join(folder, 'trace.json'), JSON.stringify(trace));
      writeFileSync(join(folder, 'broken.json'), JSON.stringify({ ...trace, steps: [{}] }));
      await begin();
      const take = async (file) => {
        await press('share');
        await page.upload('import', join(folder, file));
        await page.wait(() => !document.querySelector('dialog[open]'));
        return settled(async () => {});
      };
      const back = await take('trace.json');
      assert.deepEqual(back.ids, start.ids);
      assert.deepEqual(back.candidates, start.candidates);
      const again = await saved();
      assert.deepEqual(again.steps, trace.steps);
      await take('broken.json');
      assert.match(await notice(), /^This trace is damaged or was changed\. .*steps/);
      assert.deepEqual((await page.run(read)).ids, start.ids, 'the text stays');
      await press('dismiss');
    });

    test('compare: the same settings are the same, others part; KL is 0 or says how far', async () => {
      await begin();
      await press('step');
      await press('compare');
      const compared = async () => {
        await page.click('compare-run');
        await page.wait(
          () =>
            document.querySelector('[data-testid="compared"]') &&
            document.querySelector('.compare-panel').ariaBusy === 'false',
        );
        const rows = await page.run(() =>
          [...document.querySelectorAll('[data-testid="pairs"] tbody tr')].map((row) => ({
            ...{
              raw: row.dataset.raw,
              p_final: row.dataset.p_final,
              parts: row.className === 'parts',
            },
            cells: [...row.cells].map((cell) => cell.textContent),
          })),
        );
        return {
          rows,
          ...(await page.run(() => ({
            ...document.querySelector('[data-testid="compared"]').dataset,
          }))),
        };
      };
      const same = await compared();
      assert.equal(same.same, 'true');
      assert.equal(same.rows.length, 24);
      for (const { raw, p_final, cells } of same.rows) {
        assert.equal(cells[1], cells[2]);
        assert.deepEqual([Number(raw), Number(p_final)], [0, 0]);
      }
      await set('b-temperature', 2);
      await set('b-seed', 99);
      const parted = await compared();
      assert.equal(parted.same, 'false');
      const n = Number(parted.parts);
      assert.ok(parted.rows[n].parts && parted.rows[n].cells[1] !== parted.rows[n].cells[2]);
      for (const [i, { raw, p_final }] of parted.rows.entries()) {
        if (i > n)
          assert.deepEqual([raw, p_final], [undefined, undefined], 'other texts are not compared');
        else {
          assert.equal(Number(raw), 0, 'one model');
          assert.ok(Number(p_final) > 0);
        }
      }
      // KL of the first position, computed from distributions that a program gets
      const { logits } = await other.run(program, { prompt: 'x' });
      assert.ok(logits.length > 0);
      await press('b-switch-top_k');
      await press('compare-copy');
      assert.equal((await compared()).same, 'true', 'the settings of A');
    });

    test('compare: two models of one vocabulary side by side, with their divergence', async () => {
      await page.click('compare-model');
      await settled(async () => {});
      await page.upload('file', files['one.gguf']);
      await page.wait(
        () =>
          document.querySelector('[data-testid="compare-same"]') &&
          !document.querySelector('[data-testid="other-dialog"][open]'),
      );
      await page.click('compare-run');
      await page.wait(() =>
        /different vocabularies/.test(
          document.querySelector('[data-testid="compared"]')?.textContent ?? '',
        ),
      );
      await press('compare-dialog-close');
      await press('models');
      await page.upload('file', files['two.gguf']);
      await page.wait(() =>
        /tiny 2/.test(document.querySelector('[data-testid="status"]').textContent),
      );
      await press('compare');
      await page.click('compare-run');
      const raw = await page.wait(() =>
        Number(document.querySelector('[data-testid="pairs"] tbody tr')?.dataset.raw),
      );
      const { prompt } = await page.run(read);
      const logits = async (file) =>
        other.run(
          async ([file, prompt]) => {
            const { loadModel } = await import('/index.js');
            const model = await loadModel(file);
            const session = model.createSession();
            await session.sync(prompt);
            const all = Array.from(await session.logits());
            await model.dispose();
            return all;
          },
          [`/${file}`, prompt],
        );
      const softmax = (all) => {
        const top = Math.max(...all);
        const sum = all.reduce((total, x) => total + Math.exp(x - top), 0);
        return all.map((x) => Math.exp(x - top) / sum);
      };
      const [a, b] = [softmax(await logits('two.gguf')), softmax(await logits('one.gguf'))];
      const truth = a.reduce((sum, p, i) => sum + p * Math.log2(p / b[i]), 0);
      assert.ok(Math.abs(raw - truth) < 1e-6, `${raw} bits, ${truth}`);
      await press('compare-dialog-close');
    });

    test('how a text is cut: every token with its bytes, nothing invisible; and where another vocabulary cuts otherwise', async () => {
      await begin();
      await press('tokenizer');
      const seen = () =>
        page.run(() => ({
          ...document.querySelector('[data-testid="tokenization-summary"]').dataset,
          stretches: [...document.querySelectorAll('.tokens .aligned')].map((stretch) => ({
            same: stretch.dataset.same === 'true',
            sides: ['a', 'b'].map((side) =>
              [...stretch.querySelectorAll(`.side-${side} .cell`)].map(
                ({ dataset, textContent }) => ({
                  ...{
                    id: Number(dataset.token),
                    start: Number(dataset.start),
                    end: Number(dataset.end),
                    text: textContent,
                  },
                }),
              ),
            ),
          })),
        }));
      const until = (n, which = 'tokens') =>
        page.wait(
          ([n, which]) =>
            document.querySelector('[data-testid="tokenization-summary"]')?.dataset[which] ===
            String(n),
          [n, which],
        );
      const tokenized = (file, text, options) =>
        other.run(
          async ([file, text, options]) => {
            const { loadModel } = await import('/index.js');
            const model = await loadModel(file, { vocab_only: true });
            const ids = await model.tokenize(text, options);
            await model.dispose();
            return ids;
          },
          [file, text, options],
        );
      const of = (stretches, side) => stretches.flatMap(({ sides }) => sides[side]);
      const text = 'One naïve\u200b cat\t</s> 漢\n';
      const bytes = new TextEncoder().encode(text);
      await set('tokenization-text', text);
      const ids = await tokenized('/storybook-q8_0.gguf', text);
      await until(ids.length);
      const alone = await seen();
      assert.deepEqual(
        of(alone.stretches, 0).map(({ id }) => id),
        ids,
      );
      let at = 0;
      for (const { start, end, text: shown } of of(alone.stretches, 0)) {
        assert.equal(start, at);
        at = end;
        assert.doesNotMatch(shown, /[\s\u200b]|^$/u, 'what cannot be seen is named');
      }
      assert.equal(at, bytes.length);
      assert.equal(alone.others, undefined);
      // special tokens only when asked for
      await press('tokenization-parse-special');
      const special = await tokenized('/storybook-q8_0.gguf', text, { parse_special: true });
      assert.notEqual(special.length, ids.length);
      await until(special.length);
      await press('tokenization-add-special');
      await until(special.length - 1);
      await press('tokenization-add-special');
      await press('tokenization-parse-special');
      await until(ids.length);
      // a token's bytes and characters, and a token that is a part of a character
      const part = of(alone.stretches, 0).findIndex(({ start }) => bytes[start] === 0xe6);
      await page.run((part) => document.querySelectorAll('.tokens .cell')[part].click(), part);
      await page.wait(() =>
        /E6.*part of U\+6F22/.test(
          document.querySelector('[data-testid="tokenization-selected"]').textContent,
        ),
      );
      await page.run(() =>
        document.querySelector('[data-testid="tokenization-table"]').setAttribute('open', ''),
      );
      assert.equal(
        await page.run(
          () => document.querySelectorAll('[data-testid="tokenization-table"] tbody tr').length,
        ),
        ids.length,
      );
      // another vocabulary
      await press('tokenization-other');
      await page.upload('file', inTree('tests/golden/valid/byte-level.gguf'));
      await page.wait(
        () =>
          Number(document.querySelector('[data-testid="tokenization-summary"]').dataset.others) > 0,
      );
      const both = await seen();
      assert.deepEqual(
        of(both.stretches, 0).map(({ id }) => id),
        ids,
      );
      assert.equal(Number(both.others), of(both.stretches, 1).length);
      assert.equal(Number(both.differ), both.stretches.filter(({ same }) => !same).length);
      for (const { same, sides } of both.stretches) {
        const ends = sides.map((side) => side.at(-1)?.end);
        if (sides.every((side) => side.length > 0))
          assert.equal(ends[0], ends[1], 'both sides of a stretch end together');
        const cuts = sides.map((side) => side.map(({ end }) => end).join());
        assert.equal(same, cuts[0] === cuts[1]);
      }
      assert.ok(
        both.stretches.some(({ same }) => same) && both.stretches.some(({ same }) => !same),
      );
      await press('tokenization-same');
      await page.wait(
        () =>
          document.querySelector('[data-testid="tokenization-summary"]').dataset.others ===
          undefined,
      );
      await set('tokenization-text', '');
      await until(1); // BOS
      await press('tokenizer-dialog-close');
    });

    test('your own model: a file, a drop, an address; a failure is shown and the old model stays', async () => {
      await begin();
      assert.ok(
        page.requests.every((url) => url.startsWith(server.url) || /^(data|about|blob):/.test(url)),
        'nothing is fetched unasked',
      );
      await press('models');
      await page.upload('file', files['one.gguf']);
      await page.wait(() =>
        /tiny 1/.test(document.querySelector('[data-testid="status"]').textContent),
      );
      const opened = await settled(async () => {});
      assert.equal(opened.candidates.length, 100);
      assert.match((await press('step')).ids.join(), /^\d+$/);
      for (const [file, expected] of [
        ['cut.gguf', /^cut\.gguf is incomplete: its end is missing\. details GGUF_/],
        ['none.gguf', /^none\.gguf is not a GGUF model\. details GGUF_BAD_MAGIC: /],
      ]) {
        await press('models');
        await page.upload('file', files[file]);
        const said = await page.wait(
          () => document.querySelector('[data-testid="model-problem"]')?.textContent,
        );
        assert.match(said, expected);
        await page.click('models-dialog-close');
        assert.match(await modelName(), /tiny 1/);
        await press('dismiss');
      }
      await page.run(
        async ([url]) => {
          const bytes = await (await fetch(url)).arrayBuffer();
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], 'dropped.gguf'));
          for (const type of ['dragover', 'drop'])
            document
              .querySelector('main')
              .dispatchEvent(
                new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }),
              );
        },
        [`${server.url}two.gguf`],
      );
      await page.wait(() =>
        /tiny 2/.test(document.querySelector('[data-testid="status"]').textContent),
      );
      for (const [address, expected] of [
        ['no address', /^This is not a model address\. Use https:/],
        ['/missing.gguf', /missing\.gguf was not found\..*404/],
      ]) {
        await press('models');
        await page.set('address', address);
        await page.click('fetch');
        assert.match(
          await page.wait(
            () => document.querySelector('[data-testid="model-problem"]')?.textContent,
          ),
          expected,
        );
        await page.click('models-dialog-close');
        await press('dismiss');
      }
      await press('models');
      await page.set('address', `${server.url}one.gguf`);
      await page.click('fetch');
      await page.wait(() =>
        /tiny 1/.test(document.querySelector('[data-testid="status"]').textContent),
      );
      await settled(async () => {});
      assert.deepEqual((await page.run(read)).ids, []);
    });

    test('a download shows its progress, can be cancelled, and goes on after a cut', async () => {
      const bytes = readFileSync(inTree('dist/storybook-q8_0.gguf'));
      let slow = true;
      let cut; // a function that breaks the connection
      const asked = [];
      /** The page's own server, for all other requests. */
      const passed = ({ url, method }, response) =>
        ask(new URL(url, server.url), { method }, (answer) => {
          response.writeHead(answer.statusCode, answer.headers);
          answer.pipe(response);
        }).end();
      const near = createServer((request, response) => {
        if (request.url !== '/far.gguf') return passed(request, response);
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        asked.push(from);
        response.writeHead(from ? 206 : 200, {
          ...{
            'Content-Length': bytes.length - from,
            'Accept-Ranges': 'bytes',
            ETag: '"it"',
            'Cache-Control': 'no-store',
          },
          ...(from && { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
        });
        if (slow) response.write(bytes.subarray(0, 500_000));
        else if (from) response.end(bytes.subarray(from));
        else {
          response.write(bytes.subarray(0, 900_000));
          cut = () => response.destroy();
        }
      });
      await new Promise((resolve) => near.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${near.address().port}/`;
      try {
        await begin(url);
        await press('step');
        await press('models');
        await page.set('address', `${url}far.gguf`);
        await page.click('fetch');
        await page.wait(() =>
          /500 kB of 3\.2 MB/.test(
            document.querySelector('[data-testid="download"]')?.textContent ?? '',
          ),
        );
        await page.click('cancel');
        await page.wait(() => !document.querySelector('[data-testid="download"]'));
        slow = false;
        await page.click('models-dialog-close');
        assert.equal((await page.run(read)).ids.length, 1, 'the page is as it was');
        asked.length = 0;
        await press('models');
        await page.set('address', `${url}far.gguf`);
        await page.click('fetch');
        await page.wait(() =>
          /900 kB of 3\.2 MB/.test(
            document.querySelector('[data-testid="download"]')?.textContent ?? '',
          ),
        );
        cut();
        await page.wait(() => !document.querySelector('dialog[open]'));
        await settled(async () => {});
        assert.ok(asked.length >= 2 && asked.at(-1) > 0, 'from where it broke');
        assert.deepEqual((await page.run(read)).ids, []);
        assert.equal((await page.run(read)).failure, undefined);
      } finally {
        await page.goto('about:blank');
        near.closeAllConnections();
        await new Promise((resolve) => near.close(resolve));
      }
    });

    test('a conversation by the model’s own template, its special tokens visible', async () => {
      await begin();
      assert.equal(
        (await all('[data-testid="mode-chat"]')).length,
        0,
        'the built-in model has no template',
      );
      await press('models');
      await page.upload('file', files['chat.gguf']);
      await page.wait(() => document.querySelector('[data-testid="mode-chat"]') !== null);
      await press('mode-chat');
      await page.set('instructions', 'be short');
      /** Sends a message, and stops the answer after a few tokens. */
      const say = async (words) => {
        await page.set('say', words);
        await page.click('send');
        await page.wait(() => {
          const done = document.querySelectorAll('.text [data-id]').length > 2;
          if (done) document.querySelector('[data-testid="pause"]').click();
          return done;
        });
        await settled(async () => {});
        return (await all('[data-prompt-id]')).map(({ text }) => text).join('');
      };
      assert.match(
        await say('hello there'),
        /<s> ?system: be short<\/s><s> ?user: hello there<\/s><s> ?assistant: $/,
      );
      const special = await all('[data-prompt-id].special');
      assert.ok(
        special.length >= 6 && special.every(({ promptId }) => ['1', '2'].includes(promptId)),
      );
      assert.ok((await all('[data-testid="message"]')).length >= 2);
      assert.match(await say('and again'), /assistant: .*<\/s><s> ?user: and again/s);
      await press('mode-text');
      assert.equal((await page.run(read)).prompt, '');
    });

    test('JSON of a schema: the grammar’s column shows what it forbade, and the text parses', async () => {
      await begin();
      await page.run(() => {
        const select = document.querySelector('[data-testid="output-format"]');
        select.value = 'schema';
        select.dispatchEvent(new Event('change', { bubbles: true }));
      });
      await page.wait(
        () => document.querySelector('[data-testid="stage-grammar"]') !== null,
        undefined,
        40_000,
      );
      const { candidates } = await settled(async () => {});
      const rows = await all('[data-testid="candidate"]');
      assert.ok(rows.some(({ removedBy }) => removedBy === 'grammar'));
      assert.ok(candidates.some(({ p_final }) => p_final === 0));
      await set('editor', 'The prince is');
      await page.click('run');
      await page.wait(
        () => /ended/.test(document.querySelector('[data-testid="note"]').textContent),
        undefined,
        30_000,
      );
      const { output } = await page.run(read);
      const value = JSON.parse(output);
      assert.ok(typeof value.name === 'string' && Number.isInteger(value.age), output);
      await page.set('schema', '{ "type": 12');
      await page.click('apply-schema');
      assert.match(
        await page.wait(
          () => document.querySelector('[data-testid="output-format-problem"]')?.textContent,
        ),
        /cannot be used/,
      );
    });
  });
}
