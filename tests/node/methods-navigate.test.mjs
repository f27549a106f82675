// In-context Navigation on the built-in model: its reduction to greedy generation, and each step of
// the procedure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FEW, countSessions, fewTokens } from '../support/few-tokens.mjs';
import { collect, withModel } from '../support/support.mjs';

const built = (use) => withModel('storybook', { worker: false }, use);
const PROMPT = 'Names of animals in the story.';
const OPENING = '\nAnswers:\n1. "';

/** The greedy text of at most n tokens after the tokens: { tokens, text } before a mark. */
async function greedyText(model, ids, n, mark) {
  const session = model.createSession();
  const tokens = [];
  let text = '';
  for (const step of n > 0
    ? await collect(session.generate(ids, { temperature: 0, max_tokens: n }))
    : []) {
    if (text.includes(mark)) break;
    tokens.push(step.token);
    text += step.text;
  }
  await session.dispose();
  return { tokens, text: text.split(mark)[0] };
}

/** All tokens after the ids, most probable first. */
async function ranked(model, ids) {
  const session = model.createSession();
  await session.sync(ids);
  const { candidates } = await session.candidates({ samplers: [], top_n: model.info.n_vocab });
  await session.dispose();
  return candidates;
}

test('one run with one token is greedy generation', () =>
  built(async (model) => {
    for (const prompt of [PROMPT, 'Tom said:', 'The cat and the dog']) {
      for (const reg of [true, false]) {
        const options = { n_run: 1, n_tol: 1, max_tokens: 12, reg };
        const { answers, n_dropped } = await model.navigate(prompt, options);
        const ids = await model.tokenize(prompt + OPENING);
        const greedy = await greedyText(model, ids, 12, '"');
        if (greedy.text.trim() === '') {
          assert.deepEqual([answers.length, n_dropped], [0, 1]);
          continue;
        }
        assert.equal(n_dropped, 0);
        assert.deepEqual(answers[0].tokens, greedy.tokens);
        assert.equal(answers[0].text, greedy.text);
        assert.equal(answers[0].rank, 0);
      }
    }
  }));

test('list mode: first tokens never repeat, and each comes from the list of answers so far', () =>
  built(async (model) => {
    for (const reg of [true, false]) {
      const options = { n_run: 3, n_tol: 4, max_tokens: 6, reg };
      const { answers, n_dropped, n_distinct } = await model.navigate(PROMPT, options);
      assert.equal(answers.length + n_dropped, 12);
      assert.ok(answers.length > 6);
      assert.equal(n_distinct, new Set(answers.map(({ text }) => text.trim())).size);
      const firsts = answers.map(({ first }) => first);
      assert.equal(new Set(firsts).size, firsts.length);
      const clean = await model.tokenize(PROMPT + OPENING);
      for (const run of [0, 1, 2]) {
        const earlier = answers.filter((answer) => answer.run < run);
        const lines = earlier.map(({ text }, i) => `${i + 1}. "${text.replace(/\s+/g, ' ')}"\n`);
        const list = `${PROMPT}\nAnswers:\n${lines.join('')}${earlier.length + 1}. "`;
        const ids = await model.tokenize(list);
        const candidates = await ranked(model, ids);
        let last = -1;
        for (const answer of answers.filter((each) => each.run === run)) {
          assert.equal(candidates[answer.rank].token, answer.token);
          assert.ok(Math.abs(Math.log(candidates[answer.rank].p) - answer.logprob) < 1e-9);
          assert.ok(answer.rank > last); // down the list
          last = answer.rank;
          // greedy after the prompt of the first run, or after the list
          const from = [...(reg ? clean : ids), answer.token];
          const first = new TextDecoder().decode(await model.tokenBytes(answer.token));
          const greedy = await greedyText(model, from, first.includes('"') ? 0 : 5, '"');
          assert.deepEqual(answer.tokens, [answer.token, ...greedy.tokens]);
          assert.equal(answer.text, (first + greedy.text).split('"')[0]);
        }
      }
    }
  }));

test('list mode ends when the vocabulary is used up', () =>
  built(async (model) => {
    const options = { n_run: 9, n_tol: 3072, max_tokens: 1 };
    const { answers, n_dropped } = await model.navigate('A', options);
    const texts = new Set((await model.tokenTexts()).map((text) => text.trim()));
    assert.equal(answers.length + n_dropped, texts.size);
    assert.ok(answers.every(({ run }) => run === 0));
  }));

test('ways mode: new first tokens, the clean prompt, a final answer and the majority', () =>
  built(async (model) => {
    const prompt = 'Lily has 2 cats and 3 dogs.';
    const task = `${prompt}\n\nSolve it.\n\n`;
    const texts = { instruction: 'Solve it.', heading: 'Way', cue: ' In the end: "' };
    for (const baseline of [false, true]) {
      const { ways, histogram, winner } = await model.navigate(prompt, {
        ...{ mode: 'ways', n_ways: 3, max_tokens: 10, answer_tokens: 5, baseline },
        ...texts,
        extract: /\w+/,
      });
      assert.equal(ways.length, 3);
      assert.equal(new Set(ways.map(({ first }) => first)).size, 3);
      const used = [];
      const clean = await model.tokenize(`${task}Way 1\nStep 1:`);
      for (const [i, way] of ways.entries()) {
        const earlier = ways
          .slice(0, i)
          .map(({ text }, j) => `Way ${j + 1}\nStep 1:${text.trimEnd()}\n\n`);
        const shown = `${task}${earlier.join('')}Way ${i + 1}\nStep 1:`;
        const ids = baseline ? clean : await model.tokenize(shown);
        const candidates = await ranked(model, ids);
        const rank = candidates.findIndex(({ text }) => !used.includes(text.trim()));
        assert.deepEqual([way.rank, way.token], [rank, candidates[rank].token]);
        used.push(way.first);
        const greedy = await greedyText(model, [...clean, way.token], 9, '\nWay');
        assert.deepEqual(way.tokens, [way.token, ...greedy.tokens]);
        assert.equal(way.text, candidates[rank].text + greedy.text);
        const end = await model.tokenize(`${task}Way 1\nStep 1:${way.text} In the end: "`);
        const final = await greedyText(model, end, 5, '"');
        assert.equal(way.final_text, final.text);
        assert.equal(way.answer, final.text.match(/\w+/g)?.at(-1));
      }
      const count = (answer) => ways.filter((way) => way.answer === answer).length;
      assert.equal(winner, histogram[0]?.answer);
      for (const each of histogram) assert.equal(each.count, count(each.answer));
    }
    // a way that none of the first tokens within the depth begins is left out
    const few = await model.navigate(prompt, { mode: 'ways', depth: 2, n_ways: 4, max_tokens: 3 });
    assert.ok(few.ways.length < 4 && few.ways.every(({ rank }) => rank < 2));
  }));

test('ids are a prompt, too; wrong options are refused; sessions are freed', () =>
  built(async (model) => {
    const ids = await model.tokenize(PROMPT);
    const options = { n_run: 1, n_tol: 2, max_tokens: 4 };
    const { answers } = await model.navigate(ids, options);
    assert.equal(answers.length, 2);
    const refused = (wrong, message) =>
      assert.rejects(model.navigate(PROMPT, { ...options, ...wrong }), {
        code: 'INVALID_ARGUMENT',
        message,
      });
    await refused({ runs: 1 }, /navigate has no option "runs"/);
    await refused({ n_run: 0 }, /n_run is 0/);
    await refused({ reg: 1 }, /reg is 1/);
    await refused({ max_tokens: 0 }, /max_tokens is 0/);
    await refused({ mode: 'lists' }, /mode is "lists"; did you mean list/);
    await refused({ depth: 5 }, /depth is an option of mode 'ways', and mode is 'list'/);
    await refused({ mode: 'ways' }, /n_tol is an option of mode 'list', and mode is 'ways'/);
    await refused({ header: 5 }, /header is 5/);
    await assert.rejects(model.navigate('A', { mode: 'ways', heading: ' ' }), /heading is empty/);
    await assert.rejects(model.navigate('A', { mode: 'ways', extract: 5 }), /extract is 5/);
    await assert.rejects(model.navigate('cat '.repeat(300)), { code: 'CONTEXT_FULL' });
    const stop = new AbortController();
    for (const call of [
      () => model.navigate(PROMPT, options),
      () => model.navigate('cat '.repeat(225), { ...options, n_run: 5 }),
      () => {
        setTimeout(() => stop.abort(), 5);
        return model.navigate(PROMPT, { ...options, n_run: 50, signal: stop.signal });
      },
    ]) {
      const { made, disposed } = await countSessions(model, () => call().catch(() => undefined));
      assert.ok(made >= 2 && made === disposed, `${made} made, ${disposed} disposed`);
    }
    assert.ok(stop.signal.aborted);
  }));

test('nothing follows a first token that ends a generation', async () => {
  const model = await fewTokens(1);
  const end = FEW.indexOf('</s>');
  const limits = { n_ways: FEW.length, max_tokens: 3, answer_tokens: 1 };
  const texts = { instruction: 'a', heading: 'b', cue: 'c' };
  const { ways } = await model.navigate('abc', { mode: 'ways', ...limits, ...texts });
  const ended = ways.find(({ token }) => token === end);
  assert.deepEqual(ended.tokens, [end]);
  assert.ok(ways.some(({ tokens }) => tokens.length > 1));
  await model.dispose();
});
