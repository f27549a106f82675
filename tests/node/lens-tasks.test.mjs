// Lenses that bring their own texts, and n-grams: counts and figures by hand or by brute force, and
// runs on the built-in model against plain calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logprobs, mean, model, near, sum } from '../support/lenses.mjs';
import { moduleOf } from '../support/module.mjs';
import { freshLogits } from '../support/support.mjs';

const { compareNgram, ngramOrders, ngramPredictions } = await moduleOf('lenses/ngram-heads.ts');
const { askedLetters, charQuestion, charSummary } = await moduleOf('lenses/char-bench.ts');
const { embersItems, rotated } = await moduleOf('lenses/embers-items.ts');
const { embersGroups } = await moduleOf('lenses/embers.ts');
const { mindCells, stepOf } = await moduleOf('lenses/theory-of-mind.ts');
const { infillOf, mindStories } = await moduleOf('lenses/mind-stories.ts');
const verbatim = await moduleOf('lenses/verbatim.ts');
const { gapText } = await moduleOf('lenses/verbatim-texts.ts');
const { randomNumbers } = await moduleOf('types/random.ts');

test('ngramHeads: the predictor equals a search through all earlier places', () => {
  const random = randomNumbers(5);
  for (const [n_tokens, max_order] of [
    [2, 3],
    [3, 2],
    [5, 4],
    [9, 1],
  ]) {
    const ids = Array.from({ length: 120 }, () => random(n_tokens));
    const found = ngramPredictions(ids, max_order);
    for (let i = 0; i < ids.length; i++) {
      let order = Math.min(max_order, i + 1);
      let followers = [];
      for (; order > 0; order--) {
        followers = [];
        for (let end = order - 1; end < i; end++)
          if (Array.from({ length: order }, (_, k) => ids[end - k] === ids[i - k]).every(Boolean))
            followers.push(ids[end + 1]);
        if (followers.length > 0) break;
      }
      assert.equal(found[i].order, order);
      const counts = [...found[i].counts].flatMap(([id, count]) => Array(count).fill(id));
      assert.deepEqual(counts.sort(), followers.sort());
    }
  }
});

test('ngramHeads: divergence and orders by hand', async () => {
  const counts = new Map([
    [4, 1],
    [7, 3],
  ]);
  const p = { 4: 0.5, 7: 0.25, 9: 0.1 };
  const compared = compareNgram({ order: 2, counts }, (id) => Math.log(p[id]), 9);
  near(compared.divergence, 0.25 * Math.log(0.25 / 0.5) + 0.75 * Math.log(0.75 / 0.25));
  assert.deepEqual([compared.predicted, compared.n_matches, compared.ngram_p], [7, 4, 0]);
  assert.equal(compareNgram({ order: 2, counts }, (id) => Math.log(p[id]), 4).ngram_p, 0.25);
  const none = compareNgram({ order: 0, counts: new Map() }, (id) => Math.log(p[id]), 9);
  assert.ok(Number.isNaN(none.divergence) && none.predicted === undefined);

  const text = 'The cat sat on a mat. The dog sat on a mat. The cat sat on a mat.';
  const { tokens, orders } = await model.lens.ngramHeads(text);
  const scores = (await model.score(text)).slice(1);
  assert.deepEqual(
    tokens.map(({ token }) => token),
    scores.map(({ token }) => token),
  );
  tokens.forEach(({ logprob }, i) => near(logprob, scores[i].logprob, 1e-5));
  assert.deepEqual(orders, ngramOrders(tokens, 3));
  assert.equal(sum(orders.map(({ n }) => n)), tokens.length);
  assert.equal(tokens[0].order, 0);
  assert.ok(orders[3].n > 5 && orders[3].accuracy > 0.8);
  // one divergence from logits
  const ids = await model.tokenize(text);
  const i = tokens.findIndex(({ order }) => order === 3);
  const logits = await freshLogits(model, ids.slice(0, i + 1));
  const total = Math.log(sum(Array.from(logits, Math.exp)));
  assert.equal(tokens[i].ngram_p, 1);
  near(tokens[i].divergence, total - logits[tokens[i].predicted], 1e-4);
});

test('charBench: answers by counting, and how words are cut', async () => {
  assert.deepEqual(
    ['count', 'first', 'last'].map((task) => charQuestion(task, 'banana', 'a').answer),
    [3, 2, 6],
  );
  assert.equal(charQuestion('first', 'été', 'é').answer, 1);
  assert.deepEqual(askedLetters('letter', 3), ['e', 't', 'l']);
  const row = (p, token_length, answer) => ({
    ...{ task: 'count', word_length: 4, correct: p > 0.5, p, token_length, answer },
  });
  const summary = charSummary('count', [row(0.9, 1, 2), row(0.5, 2, 1), row(0.1, 3, 2)]);
  near(summary.correlation_token_length, -1);
  near(summary.accuracy, 1 / 3);
  assert.deepEqual([summary.n, summary.chance], [3, 0.25]);
  assert.ok(Number.isNaN(summary.correlation_word_length));

  const words = ['banana', 'zwxq'];
  const { questions, tasks } = await model.lens.charBench({ words, letters: 1, shots: 1 });
  assert.equal(questions.length, 6);
  assert.deepEqual(
    tasks.map(({ task, n }) => [task, n]),
    ['count', 'first', 'last'].map((task) => [task, 2]),
  );
  const [asked] = questions;
  const shot = 'In the word "apple" the number of letters "p" is 2.\n';
  const prompt = `${shot}In the word "banana" the number of letters "a" is`;
  const options = [1, 2, 3, 4, 5, 6].map((n) => ` ${n}`);
  const plain = await model.lens.multipleChoice([{ prompt, options, answer: 2 }]);
  near(asked.p, plain.questions[0].options[2].p, 1e-6);
  assert.equal(asked.choice, plain.questions[0].choice + 1);
  for (const { word, n_tokens, token_length, word_length, letter } of questions) {
    // the tokens between the quotation marks
    const offsets = await model.tokenOffsets(`${prompt.split('banana')[0]}${word}"`);
    const start = prompt.indexOf('banana');
    const own = offsets.filter(({ end, start: from }) => end > start && from < start + word.length);
    assert.equal(n_tokens, own.length);
    assert.equal(word_length, word.length);
    const sizes = own.map(
      ({ start: from, end }) => Math.min(end, start + word.length) - Math.max(from, start),
    );
    assert.ok(sizes.includes(token_length), letter);
  }
  await assert.rejects(() => model.lens.charBench({ words: ['a b'] }), /words must have/);
});

test('embers: the answers of all tasks are right, and groups add up', async () => {
  assert.equal(rotated('Hello, xyz!', 2), 'Jgnnq, zab!');
  assert.equal(rotated(rotated('The cat sat.', 13), 13), 'The cat sat.');
  const items = embersItems();
  for (const { task, input, output } of items) {
    const shift = Number(task.match(/^rot-(\d+)/)?.[1]);
    if (shift) assert.equal(rotated(input, -shift), output);
    else if (task === 'count') assert.equal(output, ` ${input.split(' ').length} stars.`);
    else assert.equal(output, ` ${input.slice(0, -1).split(', ').sort().join(', ')}.`);
  }
  const row = (task, likely, answer_logprob, correct) => ({
    ...{ task, likely, answer_logprob, output_logprob: answer_logprob / 2, correct },
  });
  assert.deepEqual(embersGroups([row('a', true, -1, true), row('a', true, -3, false)]), [
    { task: 'a', likely: true, n: 2, accuracy: 0.5, output_logprob: -1, answer_logprob: -2 },
  ]);

  const own = { instruction: 'Once upon', input: ' a', cue: ' time', output: ' there' };
  const single = await model.lens.embers({ items: [{ task: 'story', ...own }] });
  const [answer] = single.items;
  near(answer.output_logprob, mean(await logprobs(own.output)), 1e-6);
  near(answer.task_logprob, mean(await logprobs(own.instruction)), 1e-6);
  const whole = await logprobs('Once upon a time there');
  near(answer.answer_logprob, whole.at(-1), 1e-5);
  assert.equal(answer.likely, true);

  const result = await model.lens.embers();
  assert.equal(result.items.length, items.length);
  assert.equal(sum(result.groups.map(({ n }) => n)), items.length);
  // a likely answer is likely as a text, too, and the model answers with likely texts
  const of = (task, likely) =>
    result.groups.find((group) => group.task === task && group.likely === likely);
  assert.ok(of('rot-13', true).output_logprob > of('rot-13', false).output_logprob);
  assert.ok(of('rot-13', true).answer_logprob > of('rot-13', false).answer_logprob);
});

test('theoryOfMind: steps by hand, infills without repetition, cells', async () => {
  const { tokens, p } = stepOf([Math.log(1), Math.log(4), Math.log(2), Math.log(4)], 3, [1, 0.5]);
  assert.deepEqual(tokens, [1, 3, 2]);
  [4 / 11, 4 / 11, 2 / 11].forEach((x, i) => near(p[0][i], x));
  [16 / 37, 16 / 37, 4 / 37].forEach((x, i) => near(p[1][i], x));
  const sentences = infillOf(64)
    .trim()
    .split(/(?<=\.) /);
  assert.equal(new Set(sentences).size, 64);
  assert.ok(infillOf(16) === infillOf(64).slice(0, infillOf(16).length) && infillOf(0) === '');
  for (const { before: begin, questions } of mindStories())
    for (const { answer, distractor } of questions)
      assert.ok(begin.includes(answer) && begin.includes(distractor) && answer !== distractor);
  const prompt = (correct, ps) => ({
    ...{ infill: 0, order: 'zero', skipped: false, correct },
    ...{ answer_logprob: -1, distractor_logprob: -3, steps: [{ tokens: [1, 2], p: [ps] }] },
  });
  const skipped = { infill: 4, order: 'first', skipped: true };
  const [cell, empty] = mindCells(
    [prompt(true, [0.5, 0.2]), prompt(false, [0.7, 0.1]), skipped],
    1,
  );
  assert.deepEqual([cell.n, cell.accuracy, cell.margin], [2, 0.5, 2]);
  near(cell.mean_p[0][0], 0.6);
  near(cell.mean_p[0][1], 0.15);
  assert.deepEqual([empty.n, empty.n_skipped, empty.mean_p], [0, 1, [[]]]);
});

test('theoryOfMind: a grid on the built-in model', async () => {
  const stories = mindStories().slice(0, 2);
  const infills = [0, 4, 64];
  const result = await model.lens.theoryOfMind({ stories, infills });
  assert.equal(result.prompts.length, 2 * 3 * 3);
  const ran = result.prompts.filter(({ skipped }) => !skipped);
  assert.ok(result.prompts.every(({ skipped, infill }) => skipped === (infill === 64)));
  assert.equal(ran.length, 12);
  for (const { steps } of ran)
    for (const { p } of steps) {
      assert.ok(p[0][0] > 0.99); // nearly all probability at temperature 0.01
      for (let t = 1; t < p.length; t++) assert.ok(p[t][0] < p[t - 1][0]);
    }
  const [{ story, order, steps, answer_logprob, correct }] = ran;
  const { before: begin, after: end, questions } = stories[story];
  const question = questions.find((each) => each.order === order);
  const text = `${begin}${end} ${question.cloze}`;
  const session = model.createSession();
  const greedy = [];
  const options = { temperature: 0, max_tokens: 3, trace: false, ignore_eos: true };
  for await (const step of session.generate(text, options)) greedy.push(step.token);
  assert.deepEqual(
    steps.map(({ tokens }) => tokens[0]),
    greedy,
  );
  const n = (await model.tokenize(text)).length - 1;
  near(answer_logprob, sum((await logprobs(text + question.answer)).slice(n)), 1e-5);
  assert.equal(correct, greedy[0] === (await model.tokenize(text + question.answer))[n + 1]);
  await assert.rejects(() => model.lens.theoryOfMind({ infills: [65] }), /infills has 65/);
});

test('verbatim: lists, spans and figures by hand', () => {
  const bases = [
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ];
  assert.deepEqual(verbatim.shiftedBy(bases[0], 1), ['b', 'c', 'a']);
  for (const condition of ['repeat', 'permute', 'novel']) {
    const pairs = verbatim.listPairs(bases, condition, 1);
    assert.equal(pairs.length, 6);
    for (const [i, [first, second]] of pairs.entries()) {
      // every noun is in every place once
      const base = bases[Math.floor(i / 3)];
      assert.equal(first[0], base[i % 3]);
      const same = first.join() === second.join();
      const set = [...first].sort().join() === [...second].sort().join();
      assert.deepEqual([same, set], [condition === 'repeat', condition !== 'novel']);
    }
  }
  const { text, spans } = verbatim.stimulusText([['cow'], ['été', 'cow']], 'Again:');
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual(
    spans.map((list) =>
      list.map(({ start, end }) => new TextDecoder().decode(bytes.subarray(start, end))),
    ),
    [['cow'], ['été', 'cow']],
  );
  assert.ok(text.endsWith('words: cow. Again: été, cow.'));
  const surprisals = [
    [100, 4, 6],
    [100, 1, 3],
  ];
  const stimulus = verbatim.measured('repeat', bases, surprisals);
  assert.deepEqual([stimulus.repeat_surprisal, stimulus.index], [40, -3 / 7]);
  // resampling four equal values gives them back; of 0 and 100 the ends are 0 and 100
  assert.deepEqual(verbatim.bootstrap([7, 7, 7, 7], 50, 1), { low: 7, high: 7 });
  assert.deepEqual(verbatim.bootstrap([0, 100], 999, 1), { low: 0, high: 100 });
  const words = (context) => gapText(context, 'long', 3).split(' ');
  assert.deepEqual(words('scrambled').sort(), words('intact').sort());
  assert.notEqual(gapText('scrambled', 'long', 3), gapText('intact', 'long', 3));
  assert.equal(gapText('none', 'long', 3), 'Again:');
});

test('verbatim: the figures of the built-in model follow from its scores', async () => {
  const result = await model.lens.verbatim({ length: 4, resamples: 500 });
  assert.deepEqual(
    result.conditions.map(({ n }) => n),
    [8, 8, 8],
  );
  for (const { condition, median, low, high, places } of result.conditions) {
    const own = result.stimuli.filter((stimulus) => stimulus.condition === condition);
    const ratios = own.map(({ repeat_surprisal }) => repeat_surprisal).sort((a, b) => a - b);
    near(median, (ratios[3] + ratios[4]) / 2);
    assert.ok(ratios[0] <= low && low <= median && median <= high && high <= ratios[7]);
    near(places[1][2], mean(own.map((stimulus) => stimulus.surprisals[1][2])));
  }
  const [{ lists, surprisals }] = result.stimuli;
  const { text } = verbatim.stimulusText(lists, gapText('intact', 'short', 0));
  const offsets = await model.tokenOffsets(text);
  const scores = await model.score(text);
  // the second noun of the second list, from its bytes
  const start = text.lastIndexOf(lists[1][1]);
  const pieces = offsets.flatMap(({ start: from, end }, i) =>
    end > start && from < start + lists[1][1].length ? [scores[i].logprob] : [],
  );
  near(surprisals[1][1], -sum(pieces), 1e-5);
  const refused = (options, message) =>
    assert.rejects(() => model.lens.verbatim(options), { code: 'INVALID_ARGUMENT', message });
  await refused({ nouns: ['a', 'a'] }, /a noun twice/);
  await refused({ nouns: ['a', 'b'] }, /need 10 nouns/);
  await refused({ words: 'coherent', lists: 6 }, /5 coherent lists/);
  assert.equal((await model.lens.verbatim({ words: 'coherent', length: 2 })).stimuli.length, 12);
});
