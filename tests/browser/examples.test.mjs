// demo/examples/page.html works in real browsers from the repository's folder, without a build step
// of its own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';

for (const { name, needs } of browsers) {
  describe(`examples in ${name}`, needs, () => {
    let server;
    before(async () => {
      server = await serve({ port: 0, roots: [inTree('')], headers: {} });
    });
    after(() => server?.close());

    test('page.html generates a text and shows each choice', async () => {
      const page = await open(name);
      try {
        await page.goto(`${server.url}demo/examples/page.html`);
        await page.wait(() => document.querySelector('p').textContent === 'The model is ready.');
        await page.clickAt('button');
        await page.wait(() => document.querySelectorAll('li').length === 20);
        const [text, first] = await page.run(() => [
          document.querySelector('p').textContent,
          document.querySelector('li').textContent,
        ]);
        assert.ok(text.startsWith('Once upon a time,') && text.length > 40, text);
        assert.match(first, /^"[^"]+" \d+\.\d % {3}"[^"]+" \d+\.\d %/);
        assert.deepEqual(page.complaints, []);
      } finally {
        await page.close();
      }
    });
  });
}
