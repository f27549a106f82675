// Conversations that every family's template renders.
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Says how the "weather" is.\nIn a city.',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', description: 'The city, e.g. Köln' },
        unit: { type: 'string', enum: ['celsius', 'fahrenheit'], default: 'celsius' },
        days: { type: 'integer', minimum: 1 },
        near: { type: 'array', items: { type: 'string' } },
        where: {
          type: 'object',
          properties: { lat: { type: 'number' }, lon: { type: 'number', nullable: true } },
        },
      },
      required: ['city'],
    },
    return: { type: 'string', description: 'The weather' },
  },
};
const CLOCK = {
  type: 'function',
  function: {
    name: 'clock',
    description: 'What time is it?',
    parameters: { type: 'object', properties: {}, required: [] },
  },
};

const call = (id, name, args) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

const base = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };
const of = (messages, more = {}) => ({ ...base, ...more, messages });

const system = { role: 'system', content: 'Answer in one word. ' };
const user = { role: 'user', content: ' What is 1+1?\n' };
const two = { role: 'assistant', content: ' Two. ' };
const thanks = { role: 'user', content: "Thanks! And it's <b>3</b>?" };

const thought = [
  user,
  {
    role: 'assistant',
    content: '<think>\nOne and one\nis two.\n</think>\n\n  Two, indented.\n',
  },
  thanks,
  { role: 'assistant', reasoning_content: '\nEasy.\n', thinking: 'Easy.', content: 'Yes.' },
  { role: 'user', content: 'Sure?' },
];

const asked = { role: 'user', content: 'Weather in Köln and the time?' };
const called = {
  role: 'assistant',
  content: '',
  tool_calls: [
    call('abcdef123', 'get_weather', { city: 'Köln', days: 2, near: ['Bonn', 'Aachen'] }),
  ],
};
const result = {
  role: 'tool',
  name: 'get_weather',
  tool_call_id: 'abcdef123',
  content: '{"sky": "grey", "degrees": 7.5}',
};

/** Conversations by name: the variables of the template. */
export const CONVERSATIONS = {
  'one message': of([user]),
  'several turns': of([user, two, thanks]),
  system: of([system, user, two, thanks]),
  'ends with the assistant': of([system, user, two], { add_generation_prompt: false }),
  tools: of([system, asked], { tools: [WEATHER, CLOCK] }),
  'a tool call and its result': of(
    [
      system,
      asked,
      called,
      result,
      { role: 'assistant', content: 'Grey.' },
      { role: 'user', content: 'Thanks.' },
    ],
    { tools: [WEATHER, CLOCK] },
  ),
  'two tool calls': of(
    [
      asked,
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          call('abcdef123', 'get_weather', { city: "Köln's", unit: null, where: { lat: 50.9 } }),
          call('abcdef124', 'clock', {}),
        ],
      },
      result,
      { role: 'tool', name: 'clock', tool_call_id: 'abcdef124', content: '12:00' },
    ],
    { tools: [WEATHER, CLOCK] },
  ),
  'a tool call without content': of(
    [asked, { role: 'assistant', content: null, tool_calls: called.tool_calls }, result],
    { tools: [WEATHER] },
  ),
  'empty contents': of([
    { role: 'system', content: '' },
    { role: 'user', content: '' },
    { role: 'assistant', content: '' },
    { role: 'user', content: '   \n' },
  ]),
  thinking: of(thought),
  'thinking is off': of(thought, { enable_thinking: false, thinking: false }),
  'thinking is on': of([system, ...thought], { enable_thinking: true, thinking: true }),
  unicode: of([
    { role: 'system', content: 'Réponds en français 🇫🇷.' },
    { role: 'user', content: '你好，世界！ 👩‍👩‍👧 "quotes" \\ back\u2028slash\u00a0' },
    { role: 'assistant', content: 'Здравствуй\r\nмир\t' },
    { role: 'user', content: '\u3000ﷺ e\u0301 \u200b ' },
  ]),
  parts: of([
    { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'One ' },
        { type: 'text', text: 'two.' },
      ],
    },
  ]),
  documents: of([user], {
    documents: [
      { title: 'A title', text: 'A text.', contents: 'Contents' },
      { title: 'Zwei', text: 'Täxt' },
    ],
  }),
  'two users in a row': of([user, thanks]),
  'the assistant begins': of([two, user], { add_generation_prompt: false }),
  'an unknown role': of([{ role: 'critic', content: 'Hm.' }, user]),
};
