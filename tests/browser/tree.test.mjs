// The pure parts of the page's state: the tree and its history, the sampler chain, links, levels,
// addresses, divergence.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { generator } from '../support/gguf-writer.mjs';
import { bundle } from './page.mjs';

let tree, chain, link, text, models, compare, tokenization;

before(async () => {
  tree = await bundle('state/tree');
  chain = await bundle('state/chain');
  link = await bundle('state/shared-state');
  text = await bundle('state/display-tokens');
  models = await bundle('state/models');
  compare = await bundle('state/compare');
  tokenization = await bundle('state/tokenization');
});

const generated = (token, logprob = -1) => ({
  ...{ token, logprob, rank: 0, entropy: 1, how: 'drawn', eog: false },
  ...{ bytes: Uint8Array.of(65 + (token % 26)), text: String.fromCharCode(65 + (token % 26)) },
});
const idsOf = (node) => tree.pathTo(node).map(({ token }) => token);
/** Each path as text, sorted. */
const paths = (now) => now.tips.map((tip) => idsOf(tip).join(' ')).sort();

test('a move keeps the old path; a token that is there already is not added again', () => {
  let now = tree.createTree({ text: 'x' });
  for (const token of [1, 2, 3]) now = tree.addToken(now, generated(token));
  const old = now.current;
  now = tree.addToken(tree.moveTo(now, old.parent.parent), generated(9));
  assert.deepEqual(paths(now), ['1 2 3', '1 9']);
  assert.deepEqual(
    tree.childrenOf(now, old.parent.parent).map(({ token }) => token),
    [2, 9],
  );
  now = tree.addToken(tree.moveTo(now, old.parent.parent), generated(2));
  assert.equal(now.current, old.parent, 'the existing node');
  assert.equal(tree.tipThrough(now, now.current), old);
  assert.equal(old.joint, -3);
  const map = tree.segments({ ...now, current: old });
  assert.deepEqual(
    map.children[0].children.map(({ nodes }) => nodes.map(({ token }) => token)),
    [[9], [2, 3]].sort((a, b) =>
      tree.childrenOf(now, old.parent.parent)[0].token === a[0] ? -1 : 1,
    ),
  );
  assert.deepEqual(paths(tree.prune(now)), ['1 2']);
});

test('200 random actions and 200 undos restore the first tree; 200 redos restore the last', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = generator(seed);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const first = tree.start({ text: 'beginning' });
    let history = first;
    const states = [history.now];
    while (history.past.length < 200) {
      const { now } = history;
      const nodes = now.tips.flatMap((tip) => tree.pathTo(tip));
      const act = pick(['grow', 'grow', 'grow', 'go', 'root', 'prune', 'prompt', 'undo', 'redo']);
      if (act === 'grow')
        history = tree.addStep(
          history,
          tree.addToken(now, generated(Math.floor(random() * 4), -random())),
        );
      else if (act === 'go' && nodes.length)
        history = tree.addStep(history, tree.moveTo(now, pick(nodes)));
      else if (act === 'root') history = tree.addStep(history, tree.moveTo(now, undefined));
      else if (act === 'prune' && random() < 0.1) history = tree.addStep(history, tree.prune(now));
      else if (act === 'prompt' && random() < 0.1)
        history = tree.addStep(history, tree.createTree({ text: `${random()}` }));
      else if (act === 'undo' && history.past.length > 0) {
        const before = history;
        history = tree.undo(history);
        assert.equal(history.now, before.past.at(-1));
        if (random() < 0.5) history = tree.redo(history);
      } else if (act === 'redo') history = tree.redo(history);
      states[history.past.length] = history.now;
      for (const tip of history.now.tips) {
        const path = tree.pathTo(tip);
        assert.ok(Math.abs(tip.joint - path.reduce((sum, { logprob }) => sum + logprob, 0)) < 1e-9);
        assert.equal(tip.depth, path.length);
      }
      assert.equal(new Set(paths(history.now)).size, history.now.tips.length, 'no path twice');
    }
    for (let i = 200; i > 0; i--) {
      assert.equal(history.now, states[i]);
      history = tree.undo(history);
    }
    assert.equal(history.now, first.now);
    assert.equal(tree.undo(history), history);
    for (let i = 0; i < 200; i++) history = tree.redo(history);
    assert.equal(history.now, states[200]);
  }
});

test('typing is one step until the step ends', () => {
  let history = tree.start({ text: '' });
  for (const typed of ['a', 'ab', 'abc'])
    history = tree.addStep(history, tree.createTree({ text: typed }), 'typing');
  assert.equal(history.past.length, 1);
  history = tree.addStep(tree.endStep(history), tree.createTree({ text: 'x' }), 'typing');
  assert.equal(tree.undo(history).now.root.text, 'abc');
  assert.equal(tree.undo(tree.undo(history)).now.root.text, '');
});

test('stages can be moved and switched; the options list those that are on, in their order', () => {
  const { defaultChain, moveStage, switchStage, optionsOf, withValue } = chain;
  assert.deepEqual(optionsOf(defaultChain).samplers, ['top_k', 'top_p', 'min_p', 'temperature']);
  const other = moveStage(switchStage(defaultChain, 'dry', true), 'temperature', 0);
  assert.deepEqual(optionsOf(other).samplers, ['temperature', 'dry', 'top_k', 'top_p', 'min_p']);
  assert.equal(moveStage(defaultChain, 'dry', 99).stages.at(-1).name, 'dry');
  assert.equal(moveStage(defaultChain, 'dry', -5).stages[0].name, 'dry');
  assert.equal(optionsOf(withValue(defaultChain, 'top_k', 7)).top_k, 7);
});

test('a link decodes to what was encoded', async () => {
  const wanted = {
    ...{
      model: 'f'.repeat(64),
      name: 'a <b>model</b>',
      prompt: 'Ω \u0000 “text” <script>',
      seed: 2 ** 53 - 1,
    },
    ...{ path: [1, 2, 3, 3071], chosen: [2], ids: [1, 7] },
    chain: chain.withValue(
      chain.moveStage(chain.switchStage(chain.defaultChain, 'min_p', false), 'temperature', 0),
      'top_p',
      0.5,
    ),
  };
  const back = await link.decodeSharedState(`#${await link.encodeSharedState(wanted)}`);
  assert.deepEqual(chain.optionsOf(back.chain), chain.optionsOf(wanted.chain));
  assert.deepEqual({ ...back, chain: 0 }, { ...wanted, chain: 0 });
  assert.equal(await link.decodeSharedState('#stages'), undefined);
  assert.equal(await link.decodeSharedState(''), undefined);
});

test('hostile links are refused with a message, or lose what is no setting', async () => {
  const squeeze = async (value) => {
    const stream = new Blob([typeof value === 'string' ? value : JSON.stringify(value)])
      .stream()
      .pipeThrough(new CompressionStream('deflate-raw'));
    return `#moment=${Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url')}`;
  };
  const good = { v: 1, m: 'f', n: '', p: 'x', s: ['top_k'], o: { top_k: 3 }, d: 1, t: [], c: [] };
  assert.equal((await link.decodeSharedState(await squeeze(good))).chain.values.top_k, 3);
  const refused = [
    '#moment=', '#moment=%%%', '#moment=AAAA', `#moment=${'A'.repeat(200_000)}`,
    await squeeze('null'), await squeeze('[]'), await squeeze('{'), await squeeze('"' + ' '.repeat(3e6) + '"'),
    ...(await Promise.all(
      [{ v: 2 }, { m: 7 }, { n: 'x'.repeat(300) }, { p: null }, { i: [-1] }, { i: 'x' }, { s: 'top_k' }, { o: [] }, { d: 1.5 }, { d: -1 }, { t: [1e20] }, { t: ['1'] }, { c: {} }].map(
        (change) => squeeze({ ...good, ...change }),
      ),
    )),
  ]; // prettier-ignore
  for (const hash of refused)
    await assert.rejects(link.decodeSharedState(hash), /This link/, hash.slice(0, 60));
  const odd = await link.decodeSharedState(
    await squeeze({
      ...good,
      s: ['nonsense', 'xtc', 'xtc', { a: 1 }, '__proto__'],
      o: { top_k: 1e99, top_p: 'x', __proto__: { min_p: 9 }, temperature: 0.5 },
    }),
  );
  assert.deepEqual(chain.optionsOf(odd.chain).samplers, ['xtc']);
  assert.equal(odd.chain.values.top_k, 40);
  assert.equal(odd.chain.values.top_p, 0.95);
  assert.equal(odd.chain.values.temperature, 0.5);
});

test('levels of surprisal, rank and entropy', () => {
  const token = (p, rank, entropy) => ({ logprob: Math.log(p), rank, entropy });
  assert.deepEqual(
    [0.9, 0.2, 0.05, 0.005, 1e-6].map((p) => text.levelOf('surprisal', token(p, 0, 0))),
    [0, 1, 2, 3, 4],
  );
  assert.deepEqual(
    [0, 1, 9, 10, 99, 999, 1000].map((rank) => text.levelOf('rank', token(1, rank, 0))),
    [0, 1, 1, 2, 2, 3, 4],
  );
  assert.deepEqual(
    [0.1, 1, 2, 4, 9].map((entropy) => text.levelOf('entropy', token(1, 0, entropy))),
    [0, 1, 2, 3, 4],
  );
  assert.equal(text.levelOf('surprisal', token(NaN, 0, 0)), undefined);
});

test('the last token of a split character shows it; the tokenizer’s space before the text is not shown', () => {
  const node = (...bytes) => ({ ...generated(1), bytes: Uint8Array.from(bytes) });
  const { prompt, generated: path } = text.displayTokens(
    'Hi',
    2,
    [
      { token: 1, bytes: new Uint8Array(), text: '<s>', logprob: NaN, rank: 0, entropy: 0 },
      {
        token: 2,
        bytes: Uint8Array.of(32, 72, 105),
        text: ' Hi',
        logprob: -1,
        rank: 0,
        entropy: 0,
      },
    ],
    [node(0xf0, 0x9f), node(0x98), node(0x80, 33), node(0x80)],
  );
  assert.deepEqual(
    prompt.map(({ text }) => text),
    ['<s>', 'Hi'],
  );
  assert.deepEqual(
    path.map(({ text }) => text),
    ['', '', '😀!', '\ufffd'],
  );
  assert.deepEqual(
    path.map(({ index }) => index),
    [2, 3, 4, 5],
  );
});

test('addresses: https, a file on Hugging Face, or none', () => {
  const at = (given) => models.addressOf(given, 'http://127.0.0.1:8080/page');
  assert.equal(
    at(' owner/repo/file.gguf '),
    `${new URL(models.pageOf(models.presets[0])).origin}/owner/repo/resolve/main/file.gguf`,
  );
  assert.match(at('owner/repo/sub dir/file.GGUF'), /resolve\/main\/sub%20dir\/file\.GGUF$/);
  assert.equal(at('https://example.org/a.gguf'), 'https://example.org/a.gguf');
  assert.equal(at('/a.gguf'), 'http://127.0.0.1:8080/a.gguf');
  for (const bad of [
    '',
    'file.gguf',
    'javascript:alert(1)',
    'data:,x',
    'owner/../../x.gguf',
    'blob:x',
    'owner/repo/file.txt',
  ])
    assert.equal(at(bad), undefined, bad);
});

test('divergence in bits: 0 from itself, infinite when a token is missing', () => {
  const p = new Map([[1, 0.5], [2, 0.5]]); // prettier-ignore
  assert.equal(compare.divergence(p, p), 0);
  // prettier-ignore
  assert.equal(compare.divergence(p, new Map([[1, 0.25], [2, 0.75]])), 0.5 * Math.log2(2) + 0.5 * Math.log2(2 / 3));
  assert.equal(compare.divergence(p, new Map([[1, 1]])), Infinity);
  assert.equal(compare.divergence(new Map([[1, 1]]), p), 1);
});

test('two tokenizations of a text are aligned where both end a token', () => {
  /** Tokens by the position of their end; a string is a token without bytes. */
  const side = (...ends) => {
    let start = 0;
    return ends.map((end) => {
      const span =
        typeof end === 'string' ? { start, end: start, text: end } : { start, end, text: '' };
      start = span.end;
      return span;
    });
  };
  const lined = (a, b) => tokenization.align(a, b).map((s) => [s.a.length, s.b.length, s.same]);
  // prettier-ignore
  assert.deepEqual(lined(side(1, 3, 6), side(1, 3, 6)), [[1, 1, true], [1, 1, true], [1, 1, true]]);
  // prettier-ignore
  assert.deepEqual(lined(side(1, 3, 6), side(2, 3, 6)), [[2, 2, false], [1, 1, true]]);
  assert.deepEqual(lined(side(6), side(1, 2, 6)), [[1, 3, false]]);
  // prettier-ignore
  assert.deepEqual(lined(side('<s>', 2), side(2)), [[1, 0, false], [1, 1, true]]);
  // prettier-ignore
  assert.deepEqual(lined(side('<s>', 2, '</s>'), side('<s>', 2)), [[1, 1, true], [1, 1, true], [1, 0, false]]);
  assert.deepEqual(lined([], []), []);
  for (const [a, b] of [
    [side(4), side(1, 2)],
    [side(1, 2), side(4)],
    [side(3), []],
  ]) {
    // prettier-ignore
    const all = tokenization.align(a, b);
    assert.equal(
      all.flatMap((s) => s.a).length,
      a.length,
      'no token is lost when the sides do not end together',
    );
    assert.equal(all.flatMap((s) => s.b).length, b.length);
  }
});
