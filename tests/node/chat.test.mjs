// Chat templates: the constructs in the templates of well-known models give the text that these
// models were trained on; broken or endless templates are refused. The templates imitate those of
// SmolLM2, Qwen, Llama 3, Gemma and Phi 3. Phi 3's original is read from ../shared if it is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { chatModel } from '../support/tiny-llama.mjs';
import { shared, withModel } from '../support/support.mjs';

const withTemplate = (template, use) =>
  withModel(chatModel(template), { worker: false, vocab_only: true }, use);

const TALK = [
  { role: 'user', content: 'Hello ' },
  { role: 'assistant', content: 'Hi!' },
  { role: 'user', content: 'Who are you?' },
];
const SYSTEM = { role: 'system', content: 'Be brief.' };

const FAMILIES = {
  // ChatML, with a default system message
  SmolLM2: {
    template: `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
    bare: '<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\nHello <|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
    guided:
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello <|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
  },
  // macros, namespaces, a loop from the end, and reasoning that is cut out of earlier answers
  Qwen: {
    template: `{%- set ns = namespace(last=messages|length - 1, found=false) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if not ns.found and message.role == "user" and message.content is string %}
        {%- set ns.found = true %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- if tools %}{{- raise_exception('no tools here') }}{%- endif %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if message.role in ['user', 'system'] %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>assistant\\n' + content.strip('\\n') + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}`,
    bare: '<|im_start|>user\nHello <|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
    guided:
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello <|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
  },
  // the template itself writes BOS, once; contents are trimmed
  'Llama 3': {
    template: `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}`,
    bare: '<s><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi!<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    guided:
      '<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi!<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
  },
  // no system role, roles must alternate, the assistant is called model
  Gemma: {
    template: `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}`,
    bare: '<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\nHi!<end_of_turn>\n<start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n',
    guided: /System role not supported/,
  },
  'Phi 3': {
    template: `{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}{{'<|user|>' + '\n' + message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'}}{% elif (message['role'] == 'assistant') %}{{message['content'] + '<|end|>' + '\n'}}{% endif %}{% endfor %}`,
    bare: '<s><|user|>\nHello <|end|>\n<|assistant|>\nHi!<|end|>\n<|user|>\nWho are you?<|end|>\n<|assistant|>\n',
    guided:
      '<s><|user|>\nHello <|end|>\n<|assistant|>\nHi!<|end|>\n<|user|>\nWho are you?<|end|>\n<|assistant|>\n',
  },
};

for (const [name, { template, bare, guided }] of Object.entries(FAMILIES)) {
  test(`a template in the manner of ${name}'s`, () =>
    withTemplate(template, async (model) => {
      const { text, ids } = await model.applyChatTemplate(TALK);
      assert.equal(text, bare);
      assert.equal(
        ids.filter((id) => id === model.info.bos).length,
        1,
        'BOS once, from the template or the tokenizer',
      );
      assert.equal(ids[0], model.info.bos);
      if (guided instanceof RegExp)
        await assert.rejects(model.applyChatTemplate([SYSTEM, ...TALK]), {
          code: 'TEMPLATE_FAILED',
          message: guided,
        });
      else assert.equal((await model.applyChatTemplate([SYSTEM, ...TALK])).text, guided);
    }));
}

const phi = shared('tokenizers/ggml-vocab-phi-3.gguf');
test("Phi 3's own template, with its own tokens", phi.needs, async () => {
  const model = await loadModel(phi.path, { worker: false, vocab_only: true });
  const { text, ids } = await model.applyChatTemplate(TALK);
  assert.equal(text, FAMILIES['Phi 3'].bare);
  const spelt = await Promise.all(ids.map((id) => model.tokenText(id)));
  for (const special of ['<s>', '<|user|>', '<|end|>', '<|assistant|>'])
    assert.ok(spelt.includes(special), `${special} is one token`);
  assert.equal(spelt.filter((text) => text === '<s>').length, 1);
  await model.dispose();
});

test('a broken, refusing or endless template is an error that quotes it', async () => {
  const refused = (template, reason) =>
    withTemplate(template, async (model) => {
      const start = performance.now();
      await assert.rejects(model.applyChatTemplate(TALK), ({ code, message }) => {
        assert.equal(code, 'TEMPLATE_FAILED');
        assert.match(message, reason);
        assert.ok(message.includes(JSON.stringify(template.slice(0, 300)).slice(1, -1)), message);
        assert.ok(message.length < 1200, `${message.length} characters`);
        return true;
      });
      assert.ok(performance.now() - start < 20_000, 'it ends');
    });
  await refused('{% for message in messages %}', /./);
  await refused('{{ messages[0].content | no_such_filter }}', /no_such_filter/);
  await refused("{{ raise_exception('not today') }}", /not today/);
  await refused(
    '{% for i in range(10000) %}{% for k in range(10000) %}{% set x = i %}{% endfor %}{% endfor %}',
    /units of work/,
  );
  await refused('{{ range(1000000000) }}', /range of 1000000000/);
  await refused('{{ range(0, 10, 0) }}', /must not be zero/);
  await refused('a\nb\n{% include "x" %}', / line 3: the statement 'include' is not supported/);
  await refused(
    '\n{% if messages[0].content %}\n{{ 1 + "a" }}{% endif %}',
    / line 3: unsupported operand/,
  );
  await refused('{{ messages[0].nope.more }}', /has no attribute 'nope'/);
  const doubling = `{% set ns = namespace(x='0123456789') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}`;
  await refused(doubling, /characters/);
  await refused(`{{ '${'a'.repeat(500)}' | no_such }}`, /…/);
});

test('messages are checked before any template sees them', () =>
  withTemplate(
    '{% for m in messages %}{{ m.role }}/{{ m.content }};{% endfor %}',
    async (model) => {
      const { text } = await model.applyChatTemplate([
        { role: 'developer', content: 'x' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ]);
      assert.equal(text, 'system/x;user/ab;');
      for (const messages of [undefined, [], 'hello'])
        await assert.rejects(model.applyChatTemplate(messages), { code: 'INVALID_ARGUMENT' });
      for (const message of [
        { role: 'function', content: 'x' },
        { role: 'user' },
        { role: 'assistant', content: null },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'user', content: [{ type: 'image_url' }] },
        { role: 'assistant', content: 'x', refusal: 'no' },
        { role: 'assistant', content: 'x', audio: { id: 'a' } },
        { role: 'assistant', content: 'x', function_call: { name: 'f', arguments: '{}' } },
        { role: 'assistant', tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'f' } }] },
        null,
      ]) {
        await assert.rejects(model.applyChatTemplate([message]), {
          code: 'OPTION_UNSUPPORTED',
          message: /messages\[0\]/,
        });
      }
    },
  ));

test('tools, documents, tool calls and variables of its own reach a template', () =>
  withTemplate(
    `{% for t in tools or [] %}[{{ t.function.name }}]{% endfor %}{% for d in documents or [] %}<{{ d.title }}>{% endfor %}
{%- for m in messages %}{{ m.role }}:{{ m.content }}{{ m.tool_call_id }}{{ m.reasoning_content }}
{%- for c in m.tool_calls %} {{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %};{% endfor %}
{%- if add_generation_prompt %}assistant:{% endif %}{{ enable_thinking }}`,
    async (model) => {
      const messages = [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'hm',
          tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: { n: 1 } } }],
        },
        { role: 'tool', content: '2', tool_call_id: '1' },
      ];
      const { text } = await model.applyChatTemplate(messages, {
        tools: [{ type: 'function', function: { name: 'f' } }],
        documents: [{ title: 'T' }],
        add_generation_prompt: false,
        chat_template_kwargs: { enable_thinking: false },
      });
      assert.equal(text, '[f]<T>user:Hi;assistant:Nonehm f({"n": 1});tool:21;False');
      const { text: bare } = await model.applyChatTemplate(messages.slice(0, 1));
      assert.equal(bare, 'user:Hi;assistant:');
      for (const options of [{ tools: 'f' }, { documents: {} }, { tool: [] }])
        await assert.rejects(model.applyChatTemplate(messages, options), {
          code: 'INVALID_ARGUMENT',
        });
      await assert.rejects(
        model.applyChatTemplate(messages, { chat_template_kwargs: { f: () => 1 } }),
        { code: 'INVALID_ARGUMENT' },
      );
    },
  ));

test('a chat completion passes variables of the template on', async () => {
  const bytes = chatModel('{% if enable_thinking %}an an an{% else %}the{% endif %}');
  await withModel(bytes, { worker: false }, async (model) => {
    const messages = [{ role: 'user', content: 'x' }];
    const tokens = async (more) =>
      (await model.createChatCompletion({ messages, max_tokens: 1, ...more })).usage.prompt_tokens;
    const without = await tokens({});
    assert.ok((await tokens({ chat_template_kwargs: { enable_thinking: true } })) > without);
    assert.equal(await tokens({ chat_template_kwargs: null }), without);
  });
});
