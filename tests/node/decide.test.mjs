// Model.decide: the probabilities are those of a plain session on the same prompt, the bits do not
// depend on what else is asked, and decision models are read by llama.cpp's rule. Every expectation
// is computed here from logits of sessions that ran alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { loadModel } from '../../dist/node.js';
import { chatFile, decisionFile, decisionModel, pieceId } from '../support/decision-models.mjs';
import { generator } from '../support/gguf-writer.mjs';
import { freshLogits, inTree, withModel } from '../support/support.mjs';

const HERE = { worker: false };
const STATE = 'I was charged twice for order 4471.';
const PREDICATE = { type: 'predicate', name: 'refund', instructions: 'A refund is due.' };
const CHOICE = {
  type: 'choice',
  instructions: 'Which team?',
  choices: [{ value: 'billing' }, { value: true, description: 'ship' }, { value: 'true' }],
};
const SCORE = {
  type: 'score',
  name: 'urgency',
  instructions: 'How urgent?',
  levels: [{ label: 'low' }, { label: 'mid', description: 'this week' }, { label: 'high' }],
};
const QUESTIONS = [PREDICATE, CHOICE, SCORE];

const near = (actual, expected, name) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${name}: ${actual}, expected ${expected}`);

/** What the labels have after a text, from a session that runs alone. */
async function afterText(model, text, labels, { temperature = 1, add_special = true } = {}) {
  const ids = await model.tokenize(text, { add_special, parse_special: true });
  const logits = await freshLogits(model, ids);
  const groups = labels.map((label) => [label].flat().map(pieceId));
  assert.ok(!groups.flat().includes(-1), 'all labels are tokens');
  const scores = groups.map((group) => Math.max(...group.map((id) => logits[id])));
  const shares = scores.map((score) => Math.exp((score - Math.max(...scores)) / temperature));
  const total = shares.reduce((a, b) => a + b);
  const max = Math.max(...logits);
  const all = logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0);
  const tokens = [...new Set(groups.flat())];
  const mass = tokens.reduce((sum, id) => sum + Math.exp(logits[id] - max), 0) / all;
  return { probabilities: shares.map((share) => share / total), mass, n_tokens: ids.length };
}

const mean = (a, b) => a.map((value, i) => (value + b[i]) / 2);
const largest = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
const message = (question, lines) =>
  `[user]${STATE}\n\n${question}\n\n${lines.join('\n')}\n\n` +
  'Answer with the label of one option and with nothing else.[reply now]';

test('any chat model: probabilities, label mass and the effect of the order', () =>
  withModel(chatFile(), HERE, async (model) => {
    const {
      answers,
      model: name,
      usage,
    } = await model.decide({ state: STATE, questions: QUESTIONS });
    assert.equal(name, 'llama');
    const cases = [
      { ask: 'Is this true? A refund is due.', options: ['yes', 'no'] },
      {
        ask: 'Choose the best option. Which team?',
        options: ['billing', 'true (ship)', '"true"'],
      },
      { ask: 'Rate this. How urgent?', options: ['low', 'mid: this week', 'high'] },
    ];
    let input_tokens = 0;
    for (const [i, { ask, options }] of cases.entries()) {
      const answer = answers[i];
      const labels = ['A', 'B', 'C'].slice(0, options.length);
      const lines = (list) => list.map((option, k) => `${labels[k]}: ${option}`);
      const first = await afterText(model, message(ask, lines(options)), labels);
      const second = await afterText(model, message(ask, lines([...options].reverse())), labels);
      const reversed = [...second.probabilities].reverse();
      const expected = mean(first.probabilities, reversed);
      const given =
        answer.type === 'predicate'
          ? [answer.probability, 1 - answer.probability]
          : answer.probabilities.map(({ probability }) => probability);
      for (const [k, p] of expected.entries()) near(given[k], p, `${ask} ${k}`);
      near(answer.order_effect, largest(first.probabilities, reversed), `${ask} order`);
      assert.ok(answer.order_effect > 0, 'a random model has an effect of the order');
      near(answer.label_mass, (first.mass + second.mass) / 2, `${ask} mass`);
      assert.equal(answer.readings.length, 2);
      for (const [k, run] of [first, second].entries()) {
        const reading = answer.readings[k];
        assert.equal(reading.n_tokens, run.n_tokens);
        near(reading.label_mass, run.mass, 'mass of a reading');
        const ends = reading.labels.map(({ option }) => option);
        assert.deepEqual(ends, k ? [...options.keys()].reverse() : [...options.keys()]);
        // the trace has the same probabilities, and the mass that the labels have in it
        const { stages, candidates } = reading.trace;
        near(stages[0].mass_after, reading.label_mass, 'mass in the trace');
        assert.equal(candidates.length, 20);
        for (const { token, label, p, probability } of reading.labels) {
          assert.equal(token, pieceId(label));
          const candidate = candidates.find((one) => one.token === token);
          if (candidate) near(candidate.p_final, probability, `${label} in the trace`);
          if (candidate) near(candidate.p, p, `${label} before the stages`);
        }
        input_tokens += run.n_tokens;
      }
    }
    const [predicate, choice, score] = answers;
    assert.deepEqual(
      answers.map((answer) => answer.name),
      ['refund', null, 'urgency'],
    );
    assert.equal(predicate.type, 'predicate');
    const best = Math.max(...choice.probabilities.map(({ probability }) => probability));
    assert.deepEqual(
      choice.probabilities.find(({ probability }) => probability === best).value,
      choice.choice,
    );
    near(choice.confidence, (best - 1 / 3) / (2 / 3), 'confidence of the choice');
    const p = score.probabilities.map(({ probability }) => probability);
    near(score.score, p[1] + 2 * p[2], 'score');
    const mode = p.indexOf(Math.max(...p));
    const distance = p.reduce((sum, share, i) => sum + share * Math.abs(i - mode), 0);
    near(score.confidence, Math.max(0, 1 - distance / (2 / 3)), 'confidence of the score');
    assert.deepEqual(
      score.probabilities.map(({ label, value }) => [label, value]),
      [
        ['low', 0],
        ['mid', 1],
        ['high', 2],
      ],
    );
    assert.equal(usage.input_tokens, input_tokens);
    assert.equal(usage.total_tokens, input_tokens);
    assert.equal(usage.output_tokens, 0);
  }));

test('the bits do not depend on what else is asked, and common tokens run once', () =>
  withModel(chatFile(), { ...HERE, n_ctx: 512, n_kv: 1024 }, async (model) => {
    const alone = [];
    for (const question of QUESTIONS)
      alone.push(...(await model.decide({ state: STATE, questions: [question] })).answers);
    const before = (await model.stats()).decoded_tokens;
    const together = await model.decide({ state: STATE, questions: QUESTIONS });
    const ran = (await model.stats()).decoded_tokens - before;
    assert.deepEqual(together.answers, alone);
    const { input_tokens, input_tokens_details } = together.usage;
    assert.equal(ran, input_tokens - input_tokens_details.cached_tokens);
    assert.ok(input_tokens_details.cached_tokens >= 5 * STATE.length, 'the state is common');
    const other = await model.decide({ state: STATE, questions: [...QUESTIONS].reverse() });
    assert.deepEqual(other.answers, [...alone].reverse());
    // more forks than the cache holds at once
    const many = Array.from({ length: 12 }, (_, i) => QUESTIONS[i % 3]);
    const all = await model.decide({ state: STATE, questions: many });
    assert.deepEqual(
      all.answers,
      many.map((_, i) => alone[i % 3]),
    );
    const [first] = await Promise.all([
      model.decide({ state: STATE, questions: QUESTIONS }),
      model.decide({ state: 'Something else.', questions: many }),
    ]);
    assert.deepEqual(first.answers, alone, 'two calls at once');
  }));

test('one order, a temperature, no trace, and the name of the model', () =>
  withModel(chatFile(), HERE, async (model) => {
    const ask = (more) => model.decide({ state: STATE, questions: [CHOICE], ...more });
    const both = (await ask({})).answers[0];
    const one = (await ask({ orders: 'given', trace: false })).answers[0];
    assert.deepEqual({ ...one.readings[0], trace: 0 }, { ...both.readings[0], trace: 0 });
    assert.equal(one.readings.length, 1);
    assert.equal(one.order_effect, undefined);
    assert.equal(one.readings[0].trace, undefined);
    const hot = await ask({ orders: 'given', temperature: 4, trace: { top_n: 3 }, model: 'mine' });
    assert.equal(hot.model, 'mine');
    const [answer] = hot.answers;
    assert.equal(answer.temperature, 4);
    assert.equal(answer.readings[0].trace.candidates.length, 3);
    const logits = answer.readings[0].labels.map(({ logit }) => logit);
    const shares = logits.map((logit) => Math.exp((logit - Math.max(...logits)) / 4));
    const total = shares.reduce((a, b) => a + b);
    for (const [i, { probability }] of answer.probabilities.entries())
      near(probability, shares[i] / total, 'at temperature 4');
    assert.equal(answer.label_mass, one.label_mass, 'the mass is that of temperature 1');
    const talk = { chat_template_kwargs: { enable_thinking: true } };
    const { readings } = (await ask(talk)).answers[0];
    const now = (await model.tokenize(' now', { add_special: false })).length;
    assert.equal(readings[0].n_tokens, both.readings[0].n_tokens - now);
  }));

test('many options have labels of two letters; a question without an answer is refused', () =>
  withModel(chatFile({ n_ctx: 1024 }), HERE, async (model) => {
    const options = (n) => Array.from({ length: n }, (_, i) => ({ value: `o${i}` }));
    const choice = (n) => ({ type: 'choice', instructions: 'Which?', choices: options(n) });
    const long = { ...PREDICATE, name: 'long', instructions: 'x'.repeat(2000) };
    const params = { state: STATE, orders: 'given', trace: false };
    const { answers } = await model.decide({
      ...params,
      questions: [choice(26), choice(40), choice(100), long, PREDICATE],
    });
    const labels = answers[1].readings[0].labels.map(({ label }) => label);
    assert.equal(labels.join(' ').slice(0, 9), 'A B C D E');
    assert.deepEqual(labels.slice(24), [
      'Y',
      'Z',
      ...'ABCDEFGHIJKLMN'.split('').map((l) => `A${l}`),
    ]);
    assert.equal(answers[0].probabilities.length, 26);
    near(
      answers[1].probabilities.reduce((sum, { probability }) => sum + probability, 0),
      1,
      'all 40',
    );
    // 26 letters, the pairs AA to AZ, NO and YE, 10 digits
    const { message: labelsMessage, ...missing } = answers[2];
    assert.deepEqual(missing, { type: 'refusal', name: null, reason: 'LABELS_MISSING' });
    assert.match(labelsMessage, /64 labels.* needs 100/);
    const { message: contextMessage, ...full } = answers[3];
    assert.deepEqual(full, { type: 'refusal', name: 'long', reason: 'CONTEXT_FULL' });
    assert.match(contextMessage, /the context has 1024/);
    assert.equal(answers[4].type, 'predicate');
    const refused = await model.decide({ ...params, questions: [long] });
    assert.equal(refused.answers[0].type, 'refusal');
    assert.equal(refused.usage.input_tokens, 0);
  }));

const SYSTEM_ONE = {
  urgent: { type: 'noul', instructions: 'Now?', criteria: { true: 'hurry', false: null } },
  angry: { type: 'boolean', instructions: 'Angry?' },
  team: { type: 'choice', instructions: 'Team?', criteria: { pay: 'money', ship: null } },
  mood: { type: 'score', instructions: 'Mood?', criteria: ['calm', 'angry'] },
};
const PLAIN = `{{ id }}|{{ type }}|{{ instructions }}|{{ state }}|{% for o in options %}{{ o.label }}={{ o.key }}:{{ o.description }};{% endfor %}`;

test("questions by name, and a template in place of the model's", () =>
  withModel(decisionModel(), HERE, async (model) => {
    const params = { state: STATE, questions: SYSTEM_ONE };
    await assert.rejects(model.decide(params), { code: 'TEMPLATE_MISSING' });
    const { answers } = await model.decide({ ...params, template: PLAIN, orders: 'given' });
    assert.deepEqual(Object.keys(answers), ['urgent', 'angry', 'team', 'mood']);
    const read = async (text, labels) => (await afterText(model, text, labels)).probabilities;
    const urgent = `urgent|noul|Now?|${STATE}|A=true:hurry;B=false:None;`;
    near(answers.urgent.noul, (await read(urgent, ['A', 'B']))[0], 'noul');
    assert.equal(answers.urgent.type, 'noul');
    const angry = `angry|noul|Angry?|${STATE}|A=true:None;B=false:None;`;
    near(answers.angry.probability, (await read(angry, ['A', 'B']))[0], 'boolean');
    assert.equal(answers.angry.type, 'boolean');
    const team = await read(`team|choice|Team?|${STATE}|A=pay:money;B=ship:None;`, ['A', 'B']);
    near(answers.team.probabilities.pay, team[0], 'pay');
    near(answers.team.probabilities.ship, team[1], 'ship');
    assert.equal(answers.team.choice, team[0] >= team[1] ? 'pay' : 'ship');
    const mood = await read(`mood|score|Mood?|${STATE}|A=0:calm;B=1:angry;`, ['A', 'B']);
    near(answers.mood.score, mood[1], 'score');
    assert.deepEqual(answers.mood.legend, { 0: 'calm', 1: 'angry' });
    assert.deepEqual(Object.keys(answers.mood.probabilities), ['0', '1']);
    const failing = { ...params, template: '{{ nothing.at.all }}' };
    await assert.rejects(model.decide(failing), { code: 'TEMPLATE_FAILED' });
  }));

test('a state as JSON, and messages of the official client', () =>
  withModel(decisionModel(), HERE, async (model) => {
    const template = '{{ state if state is string else state | tojson }}';
    const ask = (given) =>
      model.decide({ ...given, template, questions: [PREDICATE], orders: 'given' });
    const tokens = async (given) => (await ask(given)).usage.input_tokens;
    const length = async (text) => (await model.tokenize(text)).length;
    assert.equal(await tokens({ state: { a: [1, null] } }), await length('{"a": [1, null]}'));
    assert.equal(await tokens({ input: 'text' }), await length('text'));
    const input = [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_json', data: { n: 1 } },
        ],
      },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', id: 'x' },
      { type: 'function_call_output', call_id: 'c', output: 'done' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
    ];
    const text =
      '[{"role": "user", "content": "a\\n{\\"n\\":1}"}, ' +
      '{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, ' +
      '{"type": "function_call_output", "call_id": "c", "output": "done"}, ' +
      '{"role": "assistant", "content": "b"}]';
    assert.equal(await tokens({ input }), await length(text));
    const image = { type: 'input_image', image_url: 'data:,' };
    for (const given of [
      { input: [{ role: 'user', content: [image] }] },
      { input: [{ type: 'reasoning' }] },
      { state: 'x', images: ['data:,'] },
      { state: 'x', prompt_cache_key: 'k' },
    ])
      await assert.rejects(ask(given), { code: 'OPTION_UNSUPPORTED' });
    for (const given of [
      {},
      { state: 'x', input: 'x' },
      { state: 5 },
      { input: [] },
      { input: [{ role: 'nobody', content: 'x' }] },
      { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] },
    ])
      await assert.rejects(ask(given), { code: 'INVALID_ARGUMENT' });
  }));

test('bad questions and options are refused by name', () =>
  withModel(chatFile(), HERE, async (model) => {
    const options = (n) => Array.from({ length: n }, (_, i) => ({ value: `${i}` }));
    const levels = (n) => Array.from({ length: n }, (_, i) => ({ label: `${i}` }));
    const cases = [
      [{ questions: undefined }, /questions is undefined/],
      [{ questions: [] }, /there are 0 questions/],
      [{ questions: {} }, /there are 0 questions/],
      [{ questions: Array.from({ length: 401 }, () => PREDICATE) }, /401 questions/],
      [{ questions: [{ ...PREDICATE, type: 'yes' }] }, /questions\[0\]\.type is "yes"/],
      [{ questions: [{ ...PREDICATE, instructions: '' }] }, /questions\[0\]\.instructions/],
      [{ questions: [{ ...PREDICATE, choices: options(2) }] }, /has no choices/],
      [{ questions: [{ ...PREDICATE, wieght: 1 }] }, /no option "wieght"/],
      [{ questions: [{ ...CHOICE, choices: options(1) }] }, /has 1 options/],
      [{ questions: [{ ...CHOICE, choices: options(256) }] }, /has 256 options/],
      [{ questions: [{ ...CHOICE, choices: [{ value: 'a' }, { value: 'a' }] }] }, /twice/],
      [{ questions: [{ ...CHOICE, choices: [{ value: 1 }, { value: 2 }] }] }, /value is 1/],
      [{ questions: [{ ...SCORE, levels: levels(1) }] }, /has 1 levels/],
      [{ questions: [{ ...SCORE, levels: levels(11) }] }, /has 11 levels/],
      [{ questions: { q: { type: 'predicate', instructions: 'x' } } }, /questions\.q\.type/],
      [{ questions: { q: { type: 'choice', instructions: 'x' } } }, /questions\.q\.criteria/],
      [{ questions: { q: { type: 'score', instructions: 'x', criteria: {} } } }, /must be a list/],
      [{ questions: { q: { type: 'noul', instructions: null } } }, /questions\.q\.instructions/],
      [{ temperature: 0 }, /temperature is 0/],
      [{ temperature: 1e-4 }, /0\.001 to 1000000/],
      [{ temperature: 1e7 }, /0\.001 to 1000000/],
      [{ temperature: '1' }, /temperature is "1", a string/],
      [{ orders: 'all' }, /orders is "all"/],
      [{ trace: { top: 1 } }, /trace has no option "top"/],
      [{ chat_template_kwargs: [] }, /chat_template_kwargs/],
      [{ template: 5 }, /template is 5/],
      [{ model: 5 }, /model is 5/],
      [{ order: 'both' }, /did you mean orders/],
      [{ signal: 5 }, /signal/],
    ];
    for (const [more, reason] of cases)
      await assert.rejects(model.decide({ state: STATE, questions: [PREDICATE], ...more }), {
        code: 'INVALID_ARGUMENT',
        message: reason,
      });
    await assert.rejects(model.decide(), { code: 'INVALID_ARGUMENT' });
    const reason = new Error('enough');
    const params = { state: STATE, questions: QUESTIONS };
    await assert.rejects(model.decide({ ...params, signal: AbortSignal.abort(reason) }), reason);
    const call = model.backend.call.bind(model.backend);
    for (const at of ['headerValues', 'tokenize', 'sync', 'candidates', 'logits']) {
      const controller = new AbortController();
      model.backend.call = (method, ...rest) => {
        if (method === at) controller.abort(reason);
        return call(method, ...rest);
      };
      await assert.rejects(model.decide({ ...params, signal: controller.signal }), reason, at);
    }
    model.backend.call = call;
    assert.equal((await model.decide(params)).answers.length, 3, 'the model goes on');
  }));

test('every session that a decision makes is disposed, after an error, too', () =>
  withModel(chatFile(), HERE, async (model) => {
    const open = new Set();
    let failing;
    const call = model.backend.call.bind(model.backend);
    model.backend.call = (method, args, ...rest) => {
      if (method === failing) return Promise.reject(new Error(method));
      if (method === 'createSession') open.add(args[0]);
      if (method === 'forkSession') open.add(args[1]);
      if (method === 'disposeSession') open.delete(args[0]);
      return call(method, args, ...rest);
    };
    const params = { state: STATE, questions: QUESTIONS };
    await model.decide(params);
    assert.equal(open.size, 0);
    for (failing of ['logits', 'candidates', 'sync', 'headerValues', 'tokenize']) {
      await assert.rejects(model.decide({ ...params, state: failing }), { message: failing });
      assert.equal(open.size, 0, failing);
    }
  }));

// ---- decision models of llama.cpp ----

/** Longer than the shortened values of a header's keys. */
const LONG = `{# ${'-'.repeat(2000)} #}`;
const SHOWN = `${LONG}{{ type }}/{{ instructions }}/{{ state if state is string else state | tojson }}/{% for o in options %}{{ o.label }}{{ o.key }}{% if o.description %}:{{ o.description }}{% endif %};{% endfor %}`;
const withType = (type, temperatures, use, template = SHOWN) =>
  withModel(decisionFile(type, template, temperatures), HERE, use);
const RAW = { add_special: false };
const choiceOf = (n) => ({
  type: 'choice',
  instructions: 'Which?',
  criteria: Object.fromEntries(Array.from({ length: n }, (_, i) => [`o${i}`, null])),
});

test('openjev: letters of both cases, yes first, a temperature for each number of options', () =>
  withType(
    'openjev',
    { 'choice.2': 2, 'choice.3_5': 3, 'choice.6_10': 4, 'choice.11': 5, noul: 1.5 },
    async (model) => {
      const questions = {
        yes: { type: 'noul', instructions: 'Now?' },
        c2: choiceOf(2),
        c4: choiceOf(4),
        c6: choiceOf(6),
        c11: choiceOf(11),
        score: { type: 'score', instructions: 'How?', criteria: ['a', 'b', 'c'] },
        many: choiceOf(53),
      };
      const { answers } = await model.decide({ state: 'S', questions });
      // the template of openjev gets no labels
      const yes = await afterText(model, 'noul/Now?/S/true;false;', ['A', 'B'], {
        ...RAW,
        temperature: 1.5,
      });
      near(answers.yes.noul, yes.probabilities[0], 'yes');
      for (const [id, n, temperature] of [
        ['c2', 2, 2],
        ['c4', 4, 3],
        ['c6', 6, 4],
        ['c11', 11, 5],
      ]) {
        const keys = Object.keys(questions[id].criteria);
        const text = `choice/Which?/S/${keys.map((key) => `${key};`).join('')}`;
        const labels = Array.from('ABCDEFGHIJK').slice(0, n);
        const { probabilities } = await afterText(model, text, labels, { ...RAW, temperature });
        for (const [i, key] of keys.entries())
          near(answers[id].probabilities[key], probabilities[i], `${id} ${key}`);
        assert.equal(answers[id].readings.length, 1);
        assert.equal(answers[id].order_effect, undefined);
      }
      assert.equal(answers.score.temperature, 1);
      assert.equal(answers.many.reason, 'LABELS_MISSING');
      assert.match(answers.many.message, /at most 52 options, not 53/);
    },
  ));

test('lev: both orders of a choice, ratings for yes and no, sorted keys', () =>
  withType('lev', { 'choice.small': 2, 'choice.mid': 3, noul: 1.5, score: 2.5 }, async (model) => {
    const state = { b: 1, 10: 'x', 9: 'y', a: { d: null, c: true } };
    const sorted = '{"10": "x", "9": "y", "a": {"c": true, "d": null}, "b": 1}';
    const questions = {
      yes: { type: 'noul', instructions: 'Now?' },
      c: { type: 'choice', instructions: 'Which?', criteria: { p: 'x', q: null, r: 'z' } },
      mid: choiceOf(9),
      s: { type: 'score', instructions: 'How?', criteria: ['a', 'b'] },
    };
    const { answers } = await model.decide({ state, questions });
    const run = (text, labels, temperature) =>
      afterText(model, text, labels, { ...RAW, temperature });
    const ratings = await run(`noul/Now?/${sorted}/Afalse;Btrue;`, Array.from('ABCDEFGHI'), 1.5);
    near(
      answers.yes.noul,
      ratings.probabilities.reduce((sum, p, i) => sum + (p * i) / 8, 0),
      'the mean of the ratings',
    );
    const first = await run(`choice/Which?/${sorted}/Ap:x;Bq;Cr:z;`, ['A', 'B', 'C'], 2);
    const second = await run(`choice/Which?/${sorted}/Ar:z;Bq;Cp:x;`, ['A', 'B', 'C'], 2);
    const expected = mean(first.probabilities, [...second.probabilities].reverse());
    for (const [i, key] of ['p', 'q', 'r'].entries())
      near(answers.c.probabilities[key], expected[i], key);
    assert.equal(answers.c.readings.length, 2);
    assert.equal(answers.mid.temperature, 3);
    const score = await run(`score/How?/${sorted}/A0:a;B1:b;`, ['A', 'B'], 2.5);
    near(answers.s.score, score.probabilities[1], 'score');
    assert.equal(answers.s.readings.length, 1);
  }));

test('nimble lists all questions; pplx-decider does not', async () => {
  const listing = `${SHOWN}{% for q in questions %}<{{ q.id }} {{ q.type }} {{ q.instructions }}{% for o in q.options %} {{ o.label }}{{ o.key }}{% endfor %}>{% endfor %}`;
  const questions = { a: choiceOf(2), b: { type: 'noul', instructions: 'Now?' } };
  for (const [type, more] of [
    ['nimble', '<a choice Which? Ao0 Bo1><b noul Now? Afalse Btrue>'],
    ['pplx-decider', ''],
  ])
    await withType(
      type,
      {},
      async (model) => {
        const { answers } = await model.decide({ state: 'S', questions });
        const a = await afterText(model, `choice/Which?/S/Ao0;Bo1;${more}`, ['A', 'B'], RAW);
        near(answers.a.probabilities.o0, a.probabilities[0], `${type} a`);
        // no is listed first
        const b = await afterText(model, `noul/Now?/S/Afalse;Btrue;${more}`, ['A', 'B'], RAW);
        near(answers.b.noul, b.probabilities[1], `${type} b`);
      },
      listing,
    );
});

test('lfm2-d1: labels are words, digits or letters, also behind a space', () =>
  withType('lfm2-d1', {}, async (model) => {
    const questions = {
      yes: { type: 'noul', instructions: 'Now?' },
      s: { type: 'score', instructions: 'How?', criteria: ['a', 'b', 'c'] },
      c: choiceOf(3),
      letters: { type: 'choice', instructions: 'Which?', criteria: { Q: null, b: null } },
    };
    const { answers } = await model.decide({ state: 'S', questions });
    const run = async (text, labels) => (await afterText(model, text, labels, RAW)).probabilities;
    const yes = await run('noul/Now?/S/truetrue;falsefalse;', [
      ['yes', 'Yes', 'YES'],
      ['no', 'No', 'NO'],
    ]);
    near(answers.yes.noul, yes[0], 'yes');
    const score = await run('score/How?/S/00:a;11:b;22:c;', ['0', '1', '2']);
    near(answers.s.score, score[1] + 2 * score[2], 'score');
    const choice = await run('choice/Which?/S/Ao0;Bo1;Co2;', [
      ['A', ' A'],
      ['B', ' B'],
      ['C', ' C'],
    ]);
    for (const i of [0, 1, 2]) near(answers.c.probabilities[`o${i}`], choice[i], `o${i}`);
    const letters = await run('choice/Which?/S/QQ;bb;', ['Q', 'b']);
    near(answers.letters.probabilities.Q, letters[0], 'Q');
  }));

test('decision models that cannot be read are refused by name', async () => {
  const params = { state: 'S', questions: [PREDICATE] };
  for (const [type, reason] of [
    ['kev', /"kev".*hidden states/],
    ['laya', /"laya".*encoder/],
    ['clef', /"clef".*head/],
    ['lfm2-d1-omni', /"lfm2-d1-omni".*encoder/],
    ['constructor', /"constructor", which is not supported/],
  ])
    await withType(type, {}, (model) =>
      assert.rejects(model.decide(params), { code: 'OPTION_UNSUPPORTED', message: reason }),
    );
  await withType('nimble', { choice: 0 }, (model) =>
    assert.rejects(model.decide(params), { code: 'MODEL_KEY_BAD' }),
  );
  await withModel(decisionFile('nimble', undefined), HERE, (model) =>
    assert.rejects(model.decide(params), { code: 'TEMPLATE_MISSING', message: /systemone/ }),
  );
  await withType('nimble', { noul: 2 }, async (model) => {
    for (const more of [{ orders: 'given' }, { template: 'x' }, { chat_template_kwargs: {} }])
      await assert.rejects(model.decide({ ...params, ...more }), { code: 'OPTION_UNSUPPORTED' });
    const { answers } = await model.decide({ ...params, temperature: 3 });
    assert.equal(answers[0].temperature, 3, "the caller's temperature replaces the file's");
    assert.equal((await model.decide(params)).answers[0].temperature, 2);
  });
});

test('in a worker the bits are the same, and a disposed model rejects', async () => {
  const params = { state: STATE, questions: QUESTIONS };
  const expected = await withModel(chatFile(), HERE, (model) => model.decide(params));
  const model = await loadModel(chatFile());
  assert.deepEqual(await model.decide(params), expected);
  const running = model.decide(params);
  await model.dispose();
  await assert.rejects(running, { code: 'DISPOSED' });
  await assert.rejects(model.decide(params), { code: 'DISPOSED' });
});

test('exp() is exact to the last place', async () => {
  const { outputFiles } = await build({
    entryPoints: [inTree('web/methods/exp.ts')],
    format: 'esm',
    write: false,
  });
  const { exp } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  const random = generator(1);
  for (let i = 0; i < 100_000; i++) {
    const x = (2 * random() - 1) * (i % 2 ? 700 : 30);
    const expected = Math.exp(x);
    assert.ok(Math.abs(exp(x) - expected) <= expected * 2 ** -52, `exp(${x})`);
  }
  assert.deepEqual([0, -Infinity, Infinity, NaN, -1000].map(exp), [1, 0, Infinity, NaN, 0]);
});
