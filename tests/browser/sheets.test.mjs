// The sheets of the page in real browsers: they load when they are opened, a failure to load can be
// repaired, and the code for developers does what the page does.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { respond, serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { axe, pageBrowsers, open } from './browsers.mjs';
import { hand, read, shown } from './page.mjs';

const SHEETS = ['models', 'share', 'compare', 'tokenizer', 'developers', 'help'];

for (const { name, needs } of pageBrowsers) {
  describe(`sheets in ${name}`, needs, () => {
    let server, page, folder, set, press, settled;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tokenglass-sheets-'));
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      page = await open(name);
      ({ set, press, settled } = hand(page));
      await page.goto(server.url);
      await page.wait(shown, 0);
      await settled(async () => {});
    });
    after(async () => {
      await page?.close();
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('a sheet is a module of its own, loaded when it is opened', async () => {
      for (const sheet of SHEETS) {
        await press(sheet);
        const id = `${sheet}-dialog`;
        const text = await page.run(
          (id) => document.querySelector(`[data-testid="${id}"][open]`)?.textContent,
          id,
        );
        assert.ok(text.length > 60, `${sheet}: ${text}`);
        await press(`${id}-close`);
      }
      assert.deepEqual(page.complaints, []);
    });

    test('a sheet that cannot be loaded says so, and loads when it is tried again', async () => {
      const fresh = await open(name);
      const view = hand(fresh);
      let broken = false;
      const flaky = createServer((request, response) => {
        if (broken && /-share-/.test(request.url)) response.destroy();
        else respond({ roots: [inTree('dist/demo')], headers: {} }, request, response);
      });
      await new Promise((resolve) => flaky.listen(0, '127.0.0.1', resolve));
      try {
        await fresh.goto(`http://127.0.0.1:${flaky.address().port}/`);
        await fresh.wait(shown, 0);
        broken = true;
        await view.press('share');
        assert.match(
          await fresh.run(() => document.querySelector('[data-testid="lazy-failed"]').textContent),
          /could not load the links/,
        );
        broken = false;
        await fresh.click('lazy-retry');
        await fresh.wait(() => document.querySelector('[data-testid="link"]') !== null);
      } finally {
        await fresh.close();
        flaky.closeAllConnections();
        await new Promise((resolve) => flaky.close(resolve));
      }
    });

    for (const options of [{}, { dark: true }, { width: 360, height: 740, touch: true }])
      test(`axe finds nothing serious in the sheets, and nothing is too wide: ${JSON.stringify(options)}`, async () => {
        const fresh = await open(name, options);
        const view = hand(fresh);
        try {
          await fresh.goto(server.url);
          await fresh.wait(shown, 0);
          for (const sheet of SHEETS) {
            // on a phone the buttons are in a menu
            await view.settled(() =>
              fresh.run((id) => document.querySelector(`[data-testid="${id}"]`).click(), sheet),
            );
            if (sheet === 'compare') {
              await fresh.set('b-temperature', 1.7);
              await fresh.click('compare-run');
              await fresh.wait(() => document.querySelector('[data-testid="compared"]') !== null);
            }
            if (sheet === 'developers')
              await fresh.wait(
                () => document.querySelector('[data-testid="code-openai"]') !== null,
              );
            const found = await axe(fresh, 'dialog[open]');
            assert.deepEqual(
              found.filter(({ impact }) => ['serious', 'critical'].includes(impact)),
              [],
              sheet,
            );
            const over = await fresh.run(() => {
              const { scrollWidth, clientWidth } = document.querySelector('dialog[open]');
              return scrollWidth - clientWidth;
            });
            assert.ok(over <= 0, `${sheet}: ${over} px too wide`);
            await fresh.press('Escape');
            await fresh.wait(() => !document.querySelector('dialog[open]'));
          }
          assert.deepEqual(fresh.complaints, []);
        } finally {
          await fresh.close();
        }
      });

    /** The code of a form. */
    const code = (form) =>
      page.run((form) => document.querySelector(`[data-testid="code-${form}"]`)?.textContent, form);
    const notes = (form) =>
      page.run(
        (form) =>
          [...document.querySelectorAll(`[data-testid="note-${form}"]`)].map(
            (note) => note.textContent,
          ),
        form,
      );
    const entry = pathToFileURL(inTree('dist/node.js')).href;
    /** Runs the code of a form and returns what it prints. The package is that of dist/. */
    const run = async (form) => {
      if (form === 'command-line') {
        const bin = `'${process.execPath}' '${inTree('dist/cli.js')}'`;
        const line = (await code(form)).replace(/^npx tokenglass/, bin);
        return execFileSync('sh', ['-c', line], { encoding: 'utf8' });
      }
      const file = join(folder, `${form}.mjs`);
      writeFileSync(file, (await code(form)).replace("from 'tokenglass'", `from '${entry}'`));
      return execFileSync(process.execPath, [file], { encoding: 'utf8' });
    };

    test('the code for developers generates the tokens that the page generates', async () => {
      await set('editor', 'The king\'s "daughter" said: it is');
      await press('step');
      await set('temperature', 1.4);
      await set('top-k', 12);
      await set('seed', 321);
      await press('step');
      await press('developers');
      await page.wait(() => document.querySelector('[data-testid="code-openai"]') !== null);
      const javascript = await code('javascript');
      assert.match(javascript, /temperature: 1\.4/);
      assert.match(javascript, /top_k: 12/);
      assert.doesNotMatch(javascript, /min_p|top_p|samplers/, 'the defaults are not written');
      const printed = await run('javascript');
      const ids = printed
        .trim()
        .split('\n')
        .map((line) => Number(line.split(' ')[0]));
      assert.equal(ids.length, 20);
      const texts = [await run('command-line'), await run('openai')];
      await press('developers-dialog-close');
      const { ids: before } = await page.run(read);
      for (let i = 0; i < 8; i++) await press('step');
      const { ids: after, output } = await page.run(read);
      assert.deepEqual(after.slice(before.length), ids.slice(0, 8));
      const end = output.replaceAll('\u25cc', '').slice(-12);
      for (const text of texts) assert.ok(text.includes(end), `${text} has ${end}`);
    });

    test('what a form cannot say is named', async () => {
      await press('move-min_p'); // its menu
      await press('remove-min_p');
      await press('developers');
      await page.wait(() => document.querySelector('[data-testid="code-openai"]') !== null);
      assert.match(await code('javascript'), /samplers: \['top_k', 'top_p', 'temperature'\]/);
      assert.match(await code('command-line'), /--samplers top_k,top_p,temperature/);
      assert.match((await notes('openai')).join(), /does not have .*top_k, samplers/);
      await press('developers-dialog-close');
      await page.run(() => {
        const select = document.querySelector('[data-testid="output-format"]');
        select.value = 'json';
        select.dispatchEvent(new Event('change', { bubbles: true }));
      });
      await settled(async () => {});
      await press('developers');
      await page.wait(() => document.querySelector('[data-testid="code-openai"]') !== null);
      assert.match(await code('javascript'), /grammar: await model\.createGrammar/);
      assert.match(await code('openai'), /response_format: \{ type: 'json_object' \}/);
      assert.equal(await code('command-line'), undefined);
      assert.match((await notes('command-line')).join(), /no output formats/);
      assert.match(await run('javascript'), /"\{/);
      await press('developers-dialog-close');
    });

    test('the links of the sheet for developers lead to files of the page and to package.json’s addresses', async () => {
      await press('developers');
      const links = await page.run(() =>
        [...document.querySelectorAll('.developers .links a')].map((a) => a.href),
      );
      const own = links.filter((link) => link.startsWith(server.url));
      assert.equal(own.length, 2);
      for (const link of own) {
        const { status, length } = await page.run(async (link) => {
          const answer = await fetch(link);
          return { status: answer.status, length: (await answer.text()).length };
        }, link);
        assert.ok(status === 200 && length > 500, link);
      }
      const { default: fields } = await import('../../package.json', { with: { type: 'json' } });
      assert.ok(links.includes(new URL(fields.homepage).href));
      assert.ok(links.includes(fields.repository.url.replace(/^git\+/, '')));
      await press('developers-dialog-close');
    });
  });
}
