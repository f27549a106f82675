// What people do on the page over several steps, in real browsers: check, traces, models from files
// and addresses, conversations, JSON. links.test.mjs tests links, compare.test.mjs the comparison
// and the tokenizer.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as ask, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { tinyFile } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';
import { hand, read, shown } from './page.mjs';

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}";

for (const { name, needs } of browsers) {
  describe(`journeys in ${name}`, needs, () => {
    let server, page, folder, set, press, at, all, settled;
    const files = {};

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tokenglass-journeys-'));
      for (const [file, bytes] of Object.entries({
        'one.gguf': tinyFile(1),
        'two.gguf': tinyFile(2),
        'chat.gguf': tinyFile(3, [['tokenizer.chat_template', 'string', TEMPLATE]]),
        'cut.gguf': tinyFile(1).subarray(0, 5000),
        'none.gguf': Buffer.from('this is no model at all'),
      }))
        writeFileSync((files[file] = join(folder, file)), bytes);
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages'), folder],
      });
      page = await open(name);
      ({ set, press, at, all, settled } = hand(page));
      await begin();
    });
    after(async () => {
      await page?.close();
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
      page.run(() => document.querySelector('[data-testid="models"]').textContent);
    const candidate = async (n) =>
      at(
        `[data-testid="candidate"][data-token="${(await page.run(read)).candidates[n].token}"] .take`,
      );

    test('a check makes the same text again; the seed stays until a new one is asked for', async () => {
      await begin();
      for (let i = 0; i < 3; i++) await press('step');
      await candidate(7);
      const { ids } = await press('step');
      await press('more');
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
      await candidate(9);
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

    test('your own model: a file, a drop, an address; a failure is shown and the old model stays', async () => {
      await begin();
      assert.ok(
        page.requests.every((url) => url.startsWith(server.url) || /^(data|about|blob):/.test(url)),
        'nothing is fetched unasked',
      );
      await press('models');
      await page.upload('file', files['one.gguf']);
      await page.wait(() =>
        /tiny 1/.test(document.querySelector('[data-testid="models"]').textContent),
      );
      const opened = await settled(async () => {});
      assert.ok(opened.candidates.length >= 15);
      assert.match((await press('step')).ids.join(), /^\d+$/);
      for (const [file, expected] of [
        ['cut.gguf', /^cut\.gguf is damaged or incomplete\. details GGUF_/],
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
        /tiny 2/.test(document.querySelector('[data-testid="models"]').textContent),
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
        /tiny 1/.test(document.querySelector('[data-testid="models"]').textContent),
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
          // the answer can have ended by itself
          if (done) document.querySelector('[data-testid="pause"]')?.click();
          return done;
        });
        await settled(async () => {});
        const tokens = await all('.text [data-prompt-id]');
        return tokens.map(({ piece, text }) => piece ?? text).join('');
      };
      assert.match(
        await say('hello there'),
        /<s> ?system: be short<\/s><s> ?user: hello there<\/s><s> ?assistant: $/,
      );
      const special = await all('.text [data-prompt-id][data-piece]');
      assert.ok(
        special.length >= 6 && special.every(({ promptId }) => ['1', '2'].includes(promptId)),
      );
      assert.ok((await all('[data-testid="message"]')).length >= 2);
      assert.match(await say('and again'), /assistant: .*<\/s><s> ?user: and again/s);
      await press('mode-text');
      assert.equal((await page.run(read)).text, '');
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
      await press('more');
      await page.set('schema', '{ "type": 12');
      await page.click('apply-schema');
      assert.match(
        await page.wait(
          () => document.querySelector('[data-testid="output-format-problem"]')?.textContent,
        ),
        /^This schema is not JSON\. details /,
      );
    });
  });
}
