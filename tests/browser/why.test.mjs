// The pure parts of the ledger, with the real model in this process: the sentences of Why hold the
// numbers of the choice, the chain's presets and start values do what they say.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

const TEXT = 'Once upon a time there was a little girl who';
const REPEATING = 'One day the old woman went to the river. One day the old man went to the';
const LISTED = ['logit_bias', 'allowed_tokens', 'banned_tokens', 'grammar'];

let chains,
  links,
  presets,
  ledger,
  why,
  whyStages,
  plain,
  spokenName,
  cellPercent,
  words,
  model,
  session;

before(async () => {
  chains = await bundle('state/chain');
  links = await bundle('state/shared-state');
  presets = await bundle('state/presets');
  ledger = await bundle('state/ledger');
  why = await bundle('state/why');
  whyStages = await bundle('state/why-stages');
  ({ plain } = await bundle('state/say'));
  ({ spokenName } = await bundle('state/spoken'));
  ({ cellPercent } = await bundle('format'));
  words = (await bundle('state/stage-words')).stageWords;
  model = await loadModel('storybook', { worker: false });
  session = model.createSession();
});
after(() => model.dispose());

const tableOf = async (text, options) => {
  await session.sync(text);
  return session.stageTable({ seed: 5, ...options });
};
const linesOf = (table, focus, place = 'next', index = table.position) => {
  const { title, lines } = why.explain(table, focus, { place, seed: 5, index });
  return { title: plain(title), text: lines.map(plain).join(' ') };
};
const percents = (text) => [...text.matchAll(/([\d.]+) %/g)].map(([, number]) => Number(number));
const near = (a, b, limit, what) => assert.ok(Math.abs(a - b) <= limit, `${what}: ${a}, not ${b}`);
/** A chain of these stages with these values. */
const chainOf = (order, values) => {
  let chain = chains.defaultChain;
  for (const { name } of chain.stages) chain = chains.switchStage(chain, name, false);
  for (const [i, name] of order.entries())
    chain = chains.placeStage(chains.withStage(chain, name), name, i);
  return { ...chain, values: { ...chain.values, ...values } };
};

test('a stage that is added changes the choice at once, wherever its values had no effect', async () => {
  for (const { name } of chains.defaultChain.stages) {
    if (name === 'logit_bias') continue; // has an effect when a token has a bias
    const chain = chainOf([name]);
    // xtc acts by chance: some of the seeds trigger it
    const effects = [];
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const text = name === 'xtc' ? TEXT : REPEATING;
      const table = await tableOf(text, { ...chains.optionsOf(chain), seed });
      effects.push(table.rows.some(({ p, p_final }) => Math.abs(p - p_final) > 1e-9));
    }
    assert.ok(effects.includes(true), name);
    if (name !== 'xtc') assert.ok(!effects.includes(false), name);
  }
});

test('values of a stage that have an effect stay when the stage is added again', () => {
  const { defaultChain, withStage, withValue, switchStage } = chains;
  const set = withValue(withStage(defaultChain, 'penalties'), 'penalty_repeat', 1.4);
  const again = withStage(switchStage(set, 'penalties', false), 'penalties');
  assert.equal(again.values.penalty_repeat, 1.4);
  const neutral = withValue(defaultChain, 'top_k', 0);
  assert.equal(withStage(neutral, 'top_k').values.top_k, 40);
});

test('a bias adds to the score of a token or bans it, and comes back from a link', async () => {
  const { defaultChain, optionsOf, stagesOn, withBias, withoutBias } = chains;
  const first = await tableOf(TEXT, optionsOf(defaultChain));
  const [a, b] = first.rows;
  let chain = withBias(withBias(defaultChain, a.token, -Infinity), b.token, 1.5);
  assert.deepEqual(stagesOn(chain), ['logit_bias', 'top_k', 'top_p', 'min_p', 'temperature']);
  const table = await tableOf(TEXT, { ...optionsOf(chain), tokens: [a.token] });
  const rowOf = ({ token }) => table.rows.find((row) => row.token === token);
  assert.equal(rowOf(a).removed_by, 'logit_bias');
  const odds = (row, index) => row.after[index] / rowOf(first.rows[2]).after[index];
  near(Math.log(odds(rowOf(b), 0)), b.logit + 1.5 - first.rows[2].logit, 1e-6, 'the score');
  assert.match(linesOf(table, { stage: 'final', token: a.token }).text, /forbidden by your list/);
  assert.match(linesOf(table, { stage: 'logit_bias' }).text, /changed 1 token and cut 1/);
  // links
  const shared = { model: '', name: '', prompt: '', seed: 1, path: [], chosen: [], chain };
  const back = await links.decodeSharedState(await links.encodeSharedState(shared));
  assert.deepEqual(optionsOf(back.chain), optionsOf(chain));
  const info = { fingerprint: '', n_vocab: 3072 };
  assert.equal(links.foreignSource(shared, info), undefined);
  const foreign = { ...shared, chain: withBias(chain, 3072, 1) };
  assert.ok(links.foreignSource(foreign, info), 'no token of this model');
  // hostile lists
  const odd = chains.chainFrom(
    ['logit_bias'],
    {},
    { x: 1, '-1': 1, 3: 'a', 4: Infinity, 5: NaN, 6: 2 },
  );
  assert.deepEqual(odd.bias, { 6: 2 });
  // taking the bias back
  assert.deepEqual(withBias(withBias(chain, a.token, 0), b.token, 0), defaultChain);
  assert.deepEqual(withoutBias(chain), defaultChain);
});

test('a stage is placed among those that are on', () => {
  const { defaultChain, placeStage, stagesOn, withStage } = chains;
  const chain = withStage(defaultChain, 'xtc');
  assert.deepEqual(stagesOn(chain), ['top_k', 'top_p', 'min_p', 'xtc', 'temperature']);
  for (const [position, expected] of [
    [0, ['temperature', 'top_k', 'top_p', 'min_p', 'xtc']],
    [2, ['top_k', 'top_p', 'temperature', 'min_p', 'xtc']],
    [99, ['top_k', 'top_p', 'min_p', 'xtc', 'temperature']],
  ])
    assert.deepEqual(stagesOn(placeStage(chain, 'temperature', position)), expected);
  assert.deepEqual(
    placeStage(chain, 'top_k', 1)
      .stages.map(({ name }) => name)
      .toSorted(),
    defaultChain.stages.map(({ name }) => name).toSorted(),
  );
});

test('each preset is recognised, and its words have its values', () => {
  for (const { name, says, chain } of presets.presets) {
    assert.equal(presets.presetOf(chain), name);
    assert.equal(presets.presetChain(name), chain);
    for (const [number] of says.matchAll(/\d+(\.\d+)?/g))
      assert.ok(
        Object.values(chain.values).some(
          (value) => value === Number(number) || value * 100 === Number(number),
        ),
        `${name}: ${number}`,
      );
  }
  const changed = chains.withValue(chains.defaultChain, 'top_p', 0.9);
  assert.equal(presets.presetOf(changed), undefined);
  // a value of a stage that is off makes no difference
  assert.equal(
    presets.presetOf(chains.withValue(chains.defaultChain, 'dry_multiplier', 1)),
    'default',
  );
});

test('the sentences of the default stages are those of the wording table, with the numbers of the choice', async () => {
  const table = await tableOf(TEXT, chains.optionsOf(chains.defaultChain));
  const said = (stage) => linesOf(table, { stage }).text;
  assert.match(said('top_k'), /kept the 40 most probable of 3,072\./);
  assert.match(
    said('top_p'),
    /kept 27 of 40: the first 26 have 94\.7 %, the 27th takes it over 95 %\./,
  );
  assert.match(
    said('min_p'),
    /kept 6 of 27: at least 5 % of the best one’s 34\.4 %, that is 1\.7 %\./,
  );
  assert.match(said('temperature'), /divides all scores by 0\.8/);
  const cut = table.rows.find(({ removed_by }) => removed_by === 'min_p');
  const { title, text } = linesOf(table, { stage: 'temperature', token: cut.token });
  assert.equal(title, `Why was ${plain([cut])} cut?`, 'an empty cell names the stage that cut');
  const best = Math.max(...table.rows.map(({ after }) => after[1]));
  const [highest, limit, own] = percents(text);
  near(highest, 100 * best, 0.05, 'the best');
  near(limit, 5 * best, 0.005, 'the limit');
  near(own, 100 * cut.after[1], 0.05, 'the token');
  assert.ok(own < limit);
});

test('numbers that are compared look different, on the right side of each other', async () => {
  const table = await tableOf(TEXT, chains.optionsOf(chains.defaultChain));
  const [, topP, minP] = table.stages;
  const said = (threshold) => plain(whyStages.stageSentence(table, { ...topP, threshold }));
  assert.match(said(0.9497), /have 94\.97 %, the 27th takes it over 95 %/);
  assert.match(said(0.94999996), /have 94\.999996 %, the 27th takes it over 95 %/);
  // a token just below the limit of min-p
  const cut = table.rows.find(({ removed_by }) => removed_by === 'min_p');
  const best = Math.max(...table.rows.map(({ after }) => after[1]));
  const after = [cut.after[0], best * minP.threshold * 0.99999, 0, 0];
  const [sentence] = whyStages.tokenSentences(table, minP, { ...cut, after });
  const [, limit, own] = percents(plain(sentence));
  assert.ok(own < limit, plain(sentence));
  // XTC
  const xtc = { name: 'xtc', kept: 5, removed: 0, reason: '' };
  for (const [coin, probability] of [
    [0.4957, 0.4955],
    [0.4955, 0.4957],
    [0.4999, 0.5],
  ]) {
    const params = { xtc_probability: probability, xtc_threshold: 0.1 };
    const text = plain(whyStages.stageSentence(table, { ...xtc, coin, params }));
    const [a, b] = /\(([\d.]+) \D+ ([\d.]+)\)/.exec(text).slice(1).map(Number);
    assert.equal(a > b, coin > probability, text);
    assert.notEqual(a, b, text);
  }
  // the draw
  for (const [u, low, high, expected] of [
    [0.9921, 0.99191, 0.99226, '0.99210 falls in X’s share (0.9919 to 0.9923)'],
    [0.99996, 0.9987, 1, '0.99996 falls in X’s share (0.9987 to 1)'],
    [0.44812, 0.4181, 0.5023, '0.4481 falls in X’s share (0.418 to 0.502)'],
    [0.00001, 0, 0.5, '0.00001 falls in X’s share (0 to 0.5000)'],
  ]) {
    const text = plain(
      why.drawSentence({ ...table, draw: { ...table.draw, u, low, high } }, 'next'),
    );
    const name = plain([why.drawnRow(table)]);
    assert.ok(text.startsWith(expected.replace('X', name)), text);
  }
});

test('temperature says that what was cut before stays cut', async () => {
  const { defaultChain, optionsOf, placeStage } = chains;
  for (const [chain, isLater] of [
    [defaultChain, true],
    [placeStage(defaultChain, 'temperature', 0), false],
  ]) {
    const { text } = linesOf(await tableOf(TEXT, optionsOf(chain)), { stage: 'temperature' });
    assert.equal(text.includes('Tokens that an earlier stage cut stay cut.'), isLater, text);
  }
});

test('the draw’s sentence is true in every place', async () => {
  const table = await tableOf(TEXT, { ...chains.optionsOf(chains.defaultChain), seed: 3 });
  const drawn = table.rows.find(({ token }) => token === table.draw.token);
  const { u, low, high } = table.draw;
  const sentence = (place) => plain(why.drawSentence(table, place));
  const expected = `${u.toFixed(4)} falls in ${plain([drawn])}’s share (`;
  assert.ok(sentence('next').startsWith(expected) && sentence('next').endsWith(' is next.'));
  assert.ok(
    sentence('earlier').startsWith(expected) && /would be drawn here\.$/.test(sentence('earlier')),
  );
  assert.equal(sentence('ended'), '');
  const [a, b] = /\(([\d.]+) to ([\d.]+)\)/.exec(sentence('next')).slice(1).map(Number);
  near(a, low, 5e-4, 'start');
  near(b, high, 5e-4, 'end');
  for (const focus of [undefined, { stage: 'final' }])
    assert.ok(!linesOf(table, focus, 'ended').text.includes('falls in'));
});

test('DRY and penalties: by how much a token was lowered, and the length of the repetition', async () => {
  for (const [stage, values] of [
    ['dry', { dry_multiplier: 0.8, dry_allowed_length: 1 }],
    ['penalties', { penalty_repeat: 1.2, penalty_freq: 0.3 }],
  ]) {
    const options = chains.optionsOf(chainOf([stage], values));
    await session.sync(REPEATING);
    const all = await session.candidates({ top_n: 3072, samplers: [] });
    const tokens = all.candidates.map(({ token }) => token);
    const table = await session.stageTable({ ...options, max_rows: 15, tokens });
    // by definition: the logits with the stage against those without, with one unchanged token
    const ratio = ({ p, after }) => Math.log(after[0] / p);
    const unchanged = Math.max(...table.rows.map(ratio));
    const changed = table.rows.filter((row) => ratio(row) < unchanged - 1e-3);
    assert.ok(changed.length > 0, stage);
    for (const row of changed.slice(0, 5)) {
      const { text } = linesOf(table, { stage, token: row.token });
      const by = Number(/by ([\d.]+)/.exec(text)[1]);
      near(by, unchanged - ratio(row), 0.0501, `${stage} ${row.text}`);
      if (stage === 'dry') {
        const length = Number(/repetition of (\d+) token/.exec(text)[1]);
        near(0.8 * 1.75 ** (length - 1), unchanged - ratio(row), 1e-3, 'length');
      }
    }
    const same = table.rows.find((row) => ratio(row) > unchanged - 1e-9);
    assert.match(linesOf(table, { stage, token: same.token }).text, /did not change the score/);
  }
});

test('XTC: triggered or not, and who stays', async () => {
  const chain = chainOf(['xtc'], { xtc_probability: 0.5, xtc_threshold: 0.1 });
  const seen = new Set();
  for (let seed = 1; seed <= 12; seed++) {
    const table = await tableOf(TEXT, { ...chains.optionsOf(chain), seed });
    const [stage] = table.stages;
    const text = plain(whyStages.stageSentence(table, stage));
    const top = table.rows.filter(({ p }) => p >= 0.1).length;
    seen.add(stage.coin <= 0.5);
    if (stage.coin > 0.5) assert.match(text, /not triggered .* so all tokens stay/);
    else {
      const [coin, probability] = /\(([\d.]+) < ([\d.]+)\)/.exec(text).slice(1).map(Number);
      near(coin, stage.coin, 0.005, 'the random number');
      assert.equal(probability, 0.5);
      assert.ok(text.includes(`${stage.removed + 1} tokens have at least 10 %`), `${text} ${top}`);
    }
  }
  assert.equal(seen.size, 2);
});

test('100 random settings: every column adds up to 1, and every sentence has its numbers', async () => {
  let state = 11;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  for (let i = 0; i < 100; i++) {
    const order = chains.defaultChain.stages
      .map(({ name }) => name)
      .filter(() => random() < 0.5)
      .toSorted(() => random() - 0.5);
    const values = Object.fromEntries(
      chains.settings.map(({ name, min, max, limits }) => {
        const value = min + (max - min) * random();
        return [name, limits.whole ? Math.round(value) : value];
      }),
    );
    const options = chains.optionsOf(chainOf(order, values));
    const table = await tableOf(i % 2 ? TEXT : REPEATING, { ...options, seed: i });
    const drawn = why.drawnRow(table);
    assert.equal(drawn.token, table.draw.token, 'the drawn token has a row');
    // folding rows into groups changes no sum
    const groups = ledger.withRows(table, table.groups, table.rows.slice(4));
    const sum = (entries, index) =>
      entries.reduce((total, entry) => total + ledger.probabilityAt(entry, index), 0);
    for (let index = -1; index < table.stages.length; index++) {
      near(sum(table.rows, index) + sum(table.groups, index), 1, 1e-9, `column ${index}`);
      near(sum(table.rows.slice(0, 4), index) + sum(groups, index), 1, 1e-9, 'folded');
      near(
        ledger.probabilityAt(ledger.together(table.groups), index),
        sum(table.groups, index),
        1e-12,
        'together',
      );
    }
    const columns = ['model', ...order, 'final'];
    for (const stage of columns) {
      for (const token of [undefined, ...table.rows.map(({ token }) => token)]) {
        const { title, text } = linesOf(table, { stage, token });
        assert.ok(title && text, `${stage} ${token}`);
        assert.doesNotMatch(
          `${title} ${text}`,
          /undefined|NaN|Infinity|null|\[object/,
          options.samplers.join(),
        );
      }
    }
    const { u, low, high } = table.draw;
    const shown = /^([\d.]+) falls.*\(([\d.]+) to ([\d.]+)\)/
      .exec(plain(why.drawSentence(table, 'next')))
      .slice(1)
      .map(Number);
    for (const [j, x] of [u, low, high].entries()) near(shown[j], x, 5.1e-4, 'the draw');
    assert.ok(shown[1] < shown[0] && shown[0] < shown[2], shown.join());
    for (const stage of table.stages) {
      const text = plain(whyStages.stageSentence(table, stage));
      const [sum, limit] =
        /have ([\d.]+) %, the .* over ([\d.]+) %/.exec(text)?.slice(1).map(Number) ?? [];
      if (sum !== undefined) assert.ok(sum < limit, text);
      const counts = /kept ([\d,]+) of ([\d,]+)/.exec(text)?.slice(1);
      if (counts)
        assert.deepEqual(
          counts.map((n) => Number(n.replace(',', ''))),
          [stage.kept, stage.kept + stage.removed],
          text,
        );
      if (stage.removed > 0) assert.ok(whyStages.cutReason(stage), stage.name);
    }
  }
});

test('every stage has words, and tokens and numbers have names for the ear', () => {
  for (const { name } of chains.defaultChain.stages)
    for (const text of Object.values(words[name])) assert.ok(text.length > 2, name);
  for (const name of LISTED) assert.ok(words[name].does, name);
  const token = (text) => ({ text, bytes: new TextEncoder().encode(text) });
  assert.equal(spokenName(token(' had')), 'had, with a space before');
  assert.equal(spokenName(token('had')), 'had');
  assert.equal(spokenName(token('\n')), 'line end');
  assert.equal(spokenName(token(',')), ',');
  assert.equal(spokenName({ text: '</s>', bytes: new Uint8Array() }), 'the control token </s>');
  assert.equal(spokenName({ text: '\ufffd', bytes: Uint8Array.of(0xf0) }), '‹F0›');
  assert.deepEqual([0, 1, 0.237, 0.0005, 0.0004, 0.000012, 1e-9].map(cellPercent), [
    '0',
    '100.0',
    '23.7',
    '0.1',
    '0.04',
    '0.001',
    '<0.0001',
  ]);
});
