// Every public function with every hostile value in place of each argument and each option: the
// call works, or it fails with a documented code in bounded time. After all of them, the model
// tells the same greedy text. The tables must name every function: a new one has to be added here.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as node from '../../dist/node.js';
import * as testing from '../../dist/testing.js';
import * as trace from '../../dist/node-trace.js';
import { HOSTILE, checkCall, checkError, settled } from '../support/hostile.mjs';
import { all, collect, greedy, withModel } from '../support/support.mjs';
import { decisionModel } from '../support/decision-models.mjs';
import { chatModel } from '../support/tiny-llama.mjs';

const { TokenglassError, errorCodes, loadModel } = node;
const PROMPT = 'Once upon a time there was';
const OPTIONS = { max_tokens: 1, seed: 1 };
const TEMPLATE = '{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}';
const QUESTIONS = [
  { type: 'predicate', instructions: 'x' },
  { type: 'choice', instructions: 'x', choices: [{ value: 'a' }, { value: true }] },
  { type: 'score', instructions: 'x', levels: [{ label: 'a' }, { label: 'b' }] },
];
const NAMED = {
  yes: { type: 'noul', instructions: 'x', criteria: { true: 'a' } },
  choice: { type: 'choice', instructions: 'x', criteria: { a: 'b', c: null } },
  score: { type: 'score', instructions: 'x', criteria: ['a', null] },
};
const decision = (questions) => ({
  state: 'x',
  questions,
  template: '{{ state }}{{ options | length }}',
  orders: 'given',
  trace: false,
});
const MESSAGES = [{ role: 'user', content: 'Hello' }];
// the options of the sampler, which one code reads for every call
const SAMPLER = node.stages.flatMap(({ options, lists }) => [
  ...options.map(({ name }) => name),
  ...lists,
]);

// recordTrace takes a text for a path and writes a file there
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-hostile-'));
const before = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function someTrace(model) {
  const session = model.createSession({ seed: 1 });
  const steps = await collect(session.generate(PROMPT, { max_tokens: 2 }));
  return { model: model.info, prompt: [1, 2], seed: 1n, options: {}, steps };
}

/**
 * Good arguments of each function. options: index of the argument with options, if there is one.
 * without: options that get no hostile values here, because generate's get them.
 * finish: what to do with the result.
 */
const FUNCTIONS = {
  loadModel: {
    args: () => ['storybook', { worker: false, vocab_only: true }],
    options: 1,
    finish: (model) => model.dispose(),
  },
  fetchModel: { args: () => ['data:,GGUF', {}], options: 1, finish: (r) => r.body?.cancel() },
  exportTrace: { args: async (model) => [await someTrace(model)], fields: 0 },
  importTrace: { args: async (model) => [trace.exportTrace(await someTrace(model))], fields: 0 },
  TokenglassError: { args: () => ['INVALID_ARGUMENT', 'text', {}], make: true },
};
const TESTING = {
  recordTrace: {
    args: (model) => [model, [{ name: 'a', prompt: PROMPT, max_tokens: 1 }], { top_n: 2 }],
    options: 2,
  },
  compareTrace: {
    args: async (model) => [
      model,
      await testing.recordTrace(model, [{ name: 'a', prompt: PROMPT, max_tokens: 1 }]),
      {},
    ],
    options: 2,
  },
};
const MODEL = {
  tokenize: { args: () => ['A text', {}], options: 1 },
  tokenOffsets: { args: () => ['A text', {}], options: 1 },
  detokenize: { args: () => [[300, 301]] },
  tokenBytes: { args: () => [300] },
  tokenText: { args: () => [300] },
  tokenTexts: { args: () => [] },
  createSession: { args: () => [{}], options: 0, finish: (session) => session.dispose() },
  loadSession: {
    args: async (model) => [await model.createSession().save(), {}],
    options: 1,
    finish: (session) => session.dispose(),
  },
  score: { args: () => [PROMPT, {}], options: 1 },
  observe: { args: () => [PROMPT, {}], options: 1 },
  outputRows: { args: () => [[300, 301]] },
  attribute: { args: () => ['A cat', { target: ' sat' }], options: 1 },
  embed: { args: () => [PROMPT, {}], options: 1 },
  createCompletion: {
    args: () => [{ prompt: PROMPT, max_tokens: 1 }],
    options: 0,
    finish: (answer) => (answer[Symbol.asyncIterator] ? collect(answer) : answer),
  },
  createChatCompletion: {
    args: () => [{ messages: MESSAGES, max_tokens: 1 }],
    options: 0,
    finish: (answer) => (answer[Symbol.asyncIterator] ? collect(answer) : answer),
  },
  applyChatTemplate: { args: () => [MESSAGES] },
  decide: { args: () => [decision(QUESTIONS)], options: 0 },
  beamSearch: { args: () => [PROMPT, { beams: 2, top_k: 2, max_tokens: 1 }], options: 1 },
  vote: { args: () => [PROMPT, { n: 1, max_tokens: 1, seed: 1 }], options: 1, without: SAMPLER },
  navigate: { args: () => [PROMPT, { n_run: 1, n_tol: 1, max_tokens: 1 }], options: 1 },
  createGrammar: { args: () => [{ type: 'ebnf', grammar: 'root ::= "a"' }], fields: 0 },
  stats: { args: () => [] },
};
/** Other good arguments of the model's functions: with these, other options count. */
const MORE = [
  [
    'beamSearch',
    {
      args: () => [
        PROMPT,
        {
          beams: 2,
          top_k: 3,
          condition: { type: 'length', n: 1, end: false },
          contrast: true,
          sampler: { top_k: 4 },
        },
      ],
      options: 1,
    },
  ],
  [
    'vote',
    {
      args: () => [
        PROMPT,
        { n: 1, max_tokens: 1, extract: 'line', verifier: { max_tokens: 1, prompt: () => 'x' } },
      ],
      options: 1,
      without: SAMPLER,
    },
  ],
  [
    'navigate',
    {
      args: () => [PROMPT, { mode: 'ways', n_ways: 2, max_tokens: 2, answer_tokens: 1 }],
      options: 1,
    },
  ],
];
const SESSION = {
  generate: { args: () => [PROMPT, OPTIONS], options: 1, finish: collect },
  sync: { args: () => [PROMPT, {}], options: 1 },
  rewind: { args: () => [1] },
  fork: {
    args: () => [2],
    finish: (made) => Promise.all([made].flat().map((session) => session.dispose())),
  },
  preview: { args: () => [{ tokens: 2, max_tokens: 1 }], options: 0 },
  append: { args: () => [300] },
  score: { args: () => [[300, 301], {}], options: 1 },
  observe: { args: () => [[300, 301], {}], options: 1 },
  editCounts: { args: () => [] },
  logits: { args: () => [{}], options: 0 },
  candidates: { args: () => [{}], options: 0 },
  stageTable: { args: () => [{}], options: 0 },
  findTokens: { args: () => ['the', {}], options: 1 },
  divergence: {
    args: async (model) => {
      const other = model.createSession();
      await other.sync(PROMPT);
      return [other, {}];
    },
    options: 1,
  },
  explain: { args: () => [300, {}], options: 1 },
  save: { args: () => [{}], options: 0 },
};
const ENDS = ['dispose']; // and [Symbol.asyncDispose]
const INTERNAL = { model: ['check', 'newNumber'], session: [] };

const methodsOf = (object) => {
  const prototype = Object.getPrototypeOf(object);
  return Object.getOwnPropertyNames(prototype).filter(
    (name) => name !== 'constructor' && !Object.getOwnPropertyDescriptor(prototype, name).get,
  );
};
const functionsOf = (module) =>
  Object.keys(module).filter((name) => typeof module[name] === 'function');
const sorted = (names) => [...names].sort();

/** The options that a call knows, as its error for an unknown one lists them. */
async function knownOptions(name, { args, options }, owner, model) {
  const given = await args(model);
  given[options] = { ...given[options], no_such_option: 1 };
  const { error } = await settled(name, async () => {
    const result = await owner[name](...given);
    if (result?.next) await result.next();
  });
  assert.equal(error?.code, 'INVALID_ARGUMENT', `${name} takes an unknown option`);
  return error.message.match(/no option "no_such_option"; known: (.*)$/)[1].split(', ');
}

/** The calls of one function: { name, args, plain }, with a hostile value in one place of each. */
async function* hostileCalls(name, row, owner, model) {
  const good = await row.args(model);
  const names = row.options === undefined ? [] : await knownOptions(name, row, owner, model);
  const place = row.options ?? row.fields;
  const tried = names.filter((key) => !row.without?.includes(key));
  const keys = row.fields === undefined ? tried : Object.keys(good[row.fields]);
  for (const [what, value] of Object.entries(HOSTILE)) {
    for (const i of good.keys())
      yield {
        name: `${name}, argument ${i}: ${what}`,
        args: good.map((arg, k) => (k === i ? value() : arg)),
      };
    for (const key of keys)
      yield {
        name: `${name}, ${key}: ${what}`,
        args: good.map((arg, k) => (k === place ? { ...arg, [key]: value() } : arg)),
      };
  }
}

async function call(owner, name, row, args) {
  const result = await (row.make ? new owner[name](...args) : owner[name](...args));
  await row.finish?.(result);
}

test('the tables name every public function', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const session = model.createSession();
    assert.deepEqual(sorted(functionsOf({ ...node, ...trace })), sorted(Object.keys(FUNCTIONS)));
    assert.deepEqual(sorted(functionsOf(testing)), sorted(Object.keys(TESTING)));
    assert.deepEqual(
      sorted(methodsOf(model)),
      sorted([...Object.keys(MODEL), ...ENDS, ...INTERNAL.model]),
    );
    assert.deepEqual(
      sorted(methodsOf(session)),
      sorted([...Object.keys(SESSION), ...ENDS, ...INTERNAL.session]),
    );
  }));

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";

  const long = worker && !all && 'npm run test:all has it';
  const options = { timeout: 600_000, skip: long };
  test(`hostile arguments of a model and a session ${where}`, options, (t) =>
    withModel('storybook', { worker, n_ctx: 256 }, async (model) => {
      const before = await greedy(model, PROMPT);
      const failures = [];
      const counts = { worked: 0, refused: 0 };
      const run = async (name, use) => {
        try {
          counts[(await checkCall(name, use)) ? 'refused' : 'worked']++;
        } catch (error) {
          failures.push(`${error.message}: ${error.cause?.stack ?? ''}`);
        }
      };
      for (const [name, row] of [...Object.entries(MODEL), ...MORE])
        for await (const { name: what, args } of hostileCalls(name, row, model, model))
          await run(what, () => call(model, name, row, args));
      const example = model.createSession();
      for (const [name, row] of Object.entries(SESSION)) {
        for await (const { name: what, args } of hostileCalls(name, row, example, model)) {
          const session = model.createSession({ seed: 1 });
          await session.sync(PROMPT);
          await run(what, () => call(session, name, row, args));
          await run(`${what}, and then rewind`, async () => {
            await session.rewind(0); // SESSION_BUSY is no answer here
          });
          await run(`${what}, and then dispose`, () => session.dispose());
        }
      }
      assert.deepEqual(failures, []);
      assert.ok(counts.refused > 2000 && counts.worked > 500, JSON.stringify(counts));
      t.diagnostic(JSON.stringify(counts));
      assert.deepEqual(await greedy(model, PROMPT), before);
      await example.dispose();
    }),
  );

  test(`hostile messages ${where}`, { timeout: 300_000 }, () =>
    withModel(chatModel(TEMPLATE), { worker }, async (model) => {
      const { text } = await model.applyChatTemplate(MESSAGES);
      for (const [what, value] of Object.entries(HOSTILE)) {
        for (const messages of [
          value(),
          [value()],
          [...MESSAGES, { role: value(), content: 'x' }],
          [{ role: 'user', content: value() }],
          [{ role: 'user', content: [value()] }],
          [{ role: 'user', content: [{ type: 'text', text: value() }] }],
          [{ role: 'user', content: [{ type: value(), text: 'x' }] }],
          [{ role: 'user', content: 'x', name: value() }],
        ]) {
          await checkCall(`messages: ${what}`, () => model.applyChatTemplate(messages));
          await checkCall(`messages: ${what}`, () =>
            model.createChatCompletion({ messages, max_tokens: 1 }),
          );
        }
      }
      const chat = (more) => model.createChatCompletion({ messages: MESSAGES, ...more });
      const before = await chat({ max_tokens: 4, temperature: 0 });
      for (const [what, value] of Object.entries(HOSTILE)) {
        for (const name of ['top_logprobs', 'cache_prompt', 'n', 'stop', 'signal']) {
          const given = { max_tokens: 2, logprobs: true, [name]: value() };
          const calls = [given, { ...given, n: 2 }].map((params) =>
            checkCall(`chat, ${name}: ${what}`, () => chat(params)),
          );
          await Promise.all(calls);
        }
      }
      const after = await chat({ max_tokens: 4, temperature: 0 });
      assert.deepEqual(after.choices, before.choices);
      assert.equal((await model.applyChatTemplate(MESSAGES)).text, text);
    }),
  );
}

test('hostile settings of speculate', { timeout: 300_000 }, () =>
  withModel('storybook', { worker: false, n_ctx: 64 }, async (model) => {
    const generated = async (speculate) => {
      const session = model.createSession({ seed: 1 });
      const steps = await collect(session.generate(PROMPT, { max_tokens: 6, speculate }));
      await session.dispose();
      return steps.map(({ token }) => token);
    };
    const second = await loadModel('storybook', { worker: false, n_ctx: 64 });
    const plain = await generated(false);
    const settings = [
      (value) => value(),
      (value) => ({ recycling: value() }),
      (value) => ({ draft: value() }),
      (value) => ({ draft: second, max_tokens: value() }),
      (value) => ({ ngram: value() }),
      (value) => Object.create(Object(value()), { recycling: { value: 'cpu', enumerable: true } }),
      (value) => ({ draft: { createSession: value(), tokenTexts: value(), info: value() } }),
      (value) => ({ draft: Object.create(second, { tokenTexts: { value: value() } }) }),
    ];
    const counts = { worked: 0, refused: 0 };
    for (const [what, value] of Object.entries(HOSTILE))
      for (const [i, setting] of settings.entries()) {
        const given = setting(value);
        let tokens = plain;
        const error = await checkCall(`speculate ${i}: ${what}`, async () => {
          tokens = await generated(given);
        });
        counts[error ? 'refused' : 'worked']++;
        assert.deepEqual(tokens, plain, `speculate ${i}: ${what}`);
      }
    assert.ok(counts.refused > 250 && counts.worked > 10, JSON.stringify(counts));
    await second.dispose();
    await assert.rejects(generated({ draft: second }), { code: 'DISPOSED' });
    assert.deepEqual(await generated('ngram'), plain);
  }),
);

/** The object with the value in place of each of its members, and of theirs. */
function* withValue(object, value) {
  for (const key of Object.keys(object)) {
    const put = (member) =>
      Array.isArray(object) ? object.with(Number(key), member) : { ...object, [key]: member };
    yield put(value());
    if (Object(object[key]) === object[key])
      for (const changed of withValue(object[key], value)) yield put(changed);
  }
}

test('hostile questions and messages of a decision', { timeout: 300_000 }, () =>
  withModel(decisionModel(), { worker: false }, async (model) => {
    const { answers } = await model.decide(decision(QUESTIONS));
    const input = [
      { role: 'user', content: [{ type: 'input_json', data: { a: 1 } }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] },
    ];
    for (const [what, value] of Object.entries(HOSTILE)) {
      for (const good of [QUESTIONS, NAMED])
        for (const questions of withValue(good, value))
          await checkCall(`decide, questions: ${what}`, () => model.decide(decision(questions)));
      for (const changed of withValue(input, value)) {
        const { state: _, ...params } = decision(QUESTIONS);
        await checkCall(`decide, input: ${what}`, () =>
          model.decide({ ...params, input: changed }),
        );
      }
    }
    assert.deepEqual((await model.decide(decision(QUESTIONS))).answers, answers);
  }),
);

test('hostile arguments of the functions', { timeout: 300_000 }, (t) =>
  withModel('storybook', { worker: false }, async (model) => {
    const failures = [];
    let n = 0;
    for (const [owner, table] of [
      [{ ...node, ...trace }, FUNCTIONS],
      [testing, TESTING],
    ]) {
      for (const [name, row] of Object.entries(table)) {
        for await (const { name: what, args } of hostileCalls(name, row, owner, model)) {
          n++;
          await checkCall(what, () => call(owner, name, row, args)).catch((error) =>
            failures.push(`${error.message}: ${error.cause?.stack ?? ''}`),
          );
        }
      }
    }
    assert.deepEqual(failures, []);
    t.diagnostic(`${n} calls`);
  }),
);

test('hostile sources in a worker', { timeout: 300_000 }, async () => {
  for (const [what, value] of Object.entries(HOSTILE))
    await checkCall(`loadModel, source: ${what}`, async () =>
      loadModel(value(), { vocab_only: true }),
    );
});

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";
  const all = async (model, session, use) => {
    for (const [owner, table] of [
      [model, MODEL],
      [session, SESSION],
    ])
      for (const [name, row] of Object.entries(table))
        await use(owner, name, row, await row.args(model));
  };

  test(`a method without its object says so ${where}`, () =>
    withModel('storybook', { worker }, async (model) => {
      const session = model.createSession();
      await all(model, session, async (owner, name, row, args) => {
        for (const wrong of [undefined, null, 5, {}, new Proxy(owner, {}), Object.create(owner)]) {
          const { error } = await settled(name, () => Reflect.apply(owner[name], wrong, args));
          assert.equal(error?.code, 'INVALID_ARGUMENT', name);
          assert.ok(error.message.includes(name), error.message);
        }
      });
      for (const owner of [model, session]) {
        const { dispose } = owner;
        await assert.rejects(dispose(), { code: 'INVALID_ARGUMENT' });
      }
    }));

  test(`every call after dispose, during dispose and a second dispose ${where}`, async () => {
    const calls = async (during) => {
      const model = await loadModel('storybook', { worker });
      const session = model.createSession();
      const list = [];
      await all(model, session, async (owner, name, row, args) =>
        list.push([name, () => call(owner, name, row, args)]),
      );
      const begun = during ? list.map(([name, use]) => [name, settled(name, use)]) : [];
      const ends = [model.dispose(), model.dispose(), session.dispose(), session.dispose()];
      await Promise.all(ends);
      for (const [name, outcome] of begun) {
        const { error } = await outcome;
        if (error !== undefined) checkError(`${name} during dispose`, error);
      }
      if (!during) {
        for (const [name, use] of list) {
          const { error } = await settled(name, use);
          assert.equal(error?.code, 'DISPOSED', name);
        }
      }
      await model.dispose();
    };
    await calls(false);
    await calls(true);
  });

  test(`a disposed session says so, and its model goes on ${where}`, () =>
    withModel('storybook', { worker }, async (model) => {
      const before = await greedy(model, PROMPT);
      for (const [name, row] of Object.entries(SESSION)) {
        const session = model.createSession();
        const args = await row.args(model);
        const begun = settled(name, () => call(session, name, row, args));
        await Promise.all([session.dispose(), session.dispose()]);
        const { error } = await begun;
        if (error !== undefined) checkError(`${name} during dispose`, error);
        const late = await settled(name, () => call(session, name, row, args));
        assert.equal(late.error?.code, 'DISPOSED', name);
      }
      assert.deepEqual(await greedy(model, PROMPT), before);
    }));
}

test('options of other kinds: a signal for the options, a polluted Object.prototype', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const session = model.createSession();
    await session.sync(PROMPT);
    await assert.rejects(session.logits(new AbortController().signal), {
      code: 'INVALID_ARGUMENT',
      message: /the options of logits are an AbortSignal/,
    });
    await assert.rejects(session.candidates(new Map([['top_n', 1]])), { code: 'INVALID_ARGUMENT' });
    const inherited = await session.candidates(Object.create({ top_n: 3 }));
    assert.equal(inherited.candidates.length, 3, 'an inherited option counts');
    await assert.rejects(session.candidates(Object.create({ topn: 3 })), { message: /topn/ });
    Object.prototype.top_n = -1;
    Object.prototype.no_option = -1;
    try {
      assert.equal((await session.candidates({ temperature: 0 })).candidates.length, 50);
    } finally {
      delete Object.prototype.top_n;
      delete Object.prototype.no_option;
    }
    let reads = 0;
    const options = Object.defineProperty({}, 'top_n', {
      enumerable: true,
      get: () => (reads++ ? 2 ** 40 : 2),
    });
    assert.equal((await session.candidates(options)).candidates.length, 2);
    assert.equal(reads, 1, 'an option is read once');
  }));

test('errors of our own class take anything', () => {
  const error = new TokenglassError('INVALID_ARGUMENT', 'x', null);
  assert.equal(error.message, 'INVALID_ARGUMENT: x');
  assert.ok(errorCodes.length > 50);
});
