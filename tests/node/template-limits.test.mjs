// A template of a file cannot hang its caller or take its memory: every hostile template ends in
// TEMPLATE_FAILED, in the caller's own thread, after little work. The bound is a count of steps,
// elements and characters, the same on every machine; the seconds of the processor are checked
// with room to spare.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { inTree, withModel } from '../support/support.mjs';
import { chatModel } from '../support/tiny-llama.mjs';
import { HOSTILE, templateOf } from '../templates/hostile.mjs';
import { spawnSync } from 'node:child_process';

const MAX_SECONDS = 2; // of the processor
const HELLO = [{ role: 'user', content: 'Hello' }];

for (const [name, value] of Object.entries(HOSTILE)) {
  test(`${name} ends`, async () => {
    const bytes = chatModel(templateOf(value));
    await withModel(bytes, { worker: false, vocab_only: true }, async (model) => {
      const before = process.cpuUsage();
      await assert.rejects(model.applyChatTemplate(HELLO), ({ code, message }) => {
        assert.equal(code, 'TEMPLATE_FAILED');
        assert.match(message, / line [0-9]+: /);
        assert.doesNotMatch(message, /more stack/, 'the meter ends it, not the stack');
        assert.ok(message.length < 2500, `${message.length} characters`);
        return true;
      });
      const { user, system } = process.cpuUsage(before);
      const seconds = (user + system) / 1e6;
      assert.ok(seconds < MAX_SECONDS, `${seconds} s`);
    });
  });
}

test('all hostile templates fit in 256 MB of memory', () => {
  const script = `
    import { loadRenderer } from ${JSON.stringify(inTree('tests/support/templates.mjs'))};
    import { HOSTILE, templateOf } from ${JSON.stringify(inTree('tests/templates/hostile.mjs'))};
    const render = await loadRenderer();
    for (const value of Object.values(HOSTILE)) {
      try { render(templateOf(value), { messages: [] }); } catch (error) { if (!error.reason) throw error; }
    }`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=256', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
});

test('a long conversation is far from the limits', async () => {
  const template = `{%- set ns = namespace(text='') -%}
{%- for m in messages -%}
  {%- if m.role == 'assistant' and '</think>' in m.content -%}
    {%- set content = m.content.split('</think>')[-1].lstrip('\\n') -%}
  {%- else -%}{%- set content = m.content|trim -%}{%- endif -%}
  {%- set ns.text = ns.text ~ '<|' ~ m.role ~ '|>' ~ content ~ '\\n' -%}
  {{- '<|' ~ m.role ~ '|>' ~ content ~ '\\n' -}}
{%- endfor -%}`;
  const messages = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: `${i % 2 ? '<think>hm</think>\n\n' : ''}${'words and more words '.repeat(50)}`,
  }));
  await withModel(chatModel(template), { vocab_only: true }, async (model) => {
    const { text } = await model.applyChatTemplate(messages);
    assert.ok(text.length > 2_000_000, `${text.length}`);
  });
});

test('a failed rendering leaves nothing behind', async () => {
  const model = await loadModel(
    chatModel(
      '{% if messages[0].content == "x" %}{{ 1 + "a" }}{% endif %}{{ messages[0].content }}',
    ),
    {
      worker: false,
      vocab_only: true,
    },
  );
  for (let i = 0; i < 3; i++) {
    await assert.rejects(model.applyChatTemplate([{ role: 'user', content: 'x' }]), {
      code: 'TEMPLATE_FAILED',
    });
    assert.equal((await model.applyChatTemplate(HELLO)).text, 'Hello');
  }
  await model.dispose();
});
