// The pure parts of the page's state: the tree and the undo history, edits, windows, the sampler
// chain, links, levels, addresses.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { generator } from '../support/gguf-writer.mjs';
import { bundle } from './page.mjs';

let tree, history, chain, link, text, edits, windows, models, tokenization;

before(async () => {
  tree = await bundle('state/tree');
  history = await bundle('state/history');
  edits = await bundle('state/edits');
  windows = await bundle('state/windows');
  chain = await bundle('state/chain');
  link = await bundle('state/shared-state');
  text = await bundle('state/display-tokens');
  models = await bundle('state/models');
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
  let now = tree.EMPTY_TREE;
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

test('a tree takes over the branches of another one; no branch is the beginning of another', () => {
  let short = tree.EMPTY_TREE;
  for (const token of [1, 2]) short = tree.addToken(short, generated(token));
  let long = tree.addToken(short, generated(3));
  long = tree.addToken(tree.moveTo(long, long.current.parent.parent), generated(9));
  const both = tree.withBranches(short, long);
  assert.deepEqual(paths(both), ['1 2 3', '1 9']);
  assert.equal(both.current, short.current);
  assert.equal(tree.withBranches(long, short).tips.length, 2);
  assert.equal(tree.withBranches(short, short), short);
});

test('the longest known beginning of a text is found on any branch', () => {
  let now = tree.EMPTY_TREE;
  for (const token of [1, 2, 3]) now = tree.addToken(now, generated(token));
  const one = now.current;
  now = tree.moveTo(now, one.parent);
  for (const token of [7, 8, 9]) now = tree.addToken(now, generated(token));
  const node = tree.lastKnown(tree.moveTo(now, one), [1, 2, 7, 8, 5]);
  assert.deepEqual(idsOf(node), [1, 2, 7, 8]);
  assert.equal(tree.lastKnown(now, [2]), undefined);
  assert.equal(tree.lastKnown(now, [1, 2, 3, 4]), one);
  assert.deepEqual(idsOf(tree.lastKnown(now, [1, 2])), [1, 2]);
});

test('200 random actions and 200 undos restore the first moment; 200 redos restore the last', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = generator(seed);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const first = history.begin({
      tree: tree.EMPTY_TREE,
      typed: undefined,
      pending: undefined,
      chain: {},
      seed: 0,
    });
    let moments = first;
    const states = [moments.now];
    const step = (change) => {
      moments = history.addStep(moments, { ...moments.now, ...change });
    };
    while (moments.past.length < 200) {
      const now = moments.now.tree;
      const nodes = now.tips.flatMap((tip) => tree.pathTo(tip));
      const act = pick(['grow', 'grow', 'grow', 'go', 'root', 'prune', 'seed', 'undo', 'redo']);
      if (act === 'grow')
        step({ tree: tree.addToken(now, generated(Math.floor(random() * 4), -random())) });
      else if (act === 'go' && nodes.length) step({ tree: tree.moveTo(now, pick(nodes)) });
      else if (act === 'root') step({ tree: tree.moveTo(now, undefined) });
      else if (act === 'prune' && random() < 0.1) step({ tree: tree.prune(now) });
      else if (act === 'seed' && random() < 0.1) step({ seed: random() });
      else if (act === 'undo' && moments.past.length > 0) {
        const before = moments;
        moments = history.undo(moments);
        assert.equal(moments.now, before.past.at(-1));
        if (random() < 0.5) moments = history.redo(moments);
      } else if (act === 'redo') moments = history.redo(moments);
      states[moments.past.length] = moments.now;
      const { tips } = moments.now.tree;
      for (const tip of tips) {
        const path = tree.pathTo(tip);
        assert.ok(Math.abs(tip.joint - path.reduce((sum, { logprob }) => sum + logprob, 0)) < 1e-9);
        assert.equal(tip.depth, path.length);
      }
      assert.equal(new Set(paths(moments.now.tree)).size, tips.length, 'no path twice');
    }
    for (let i = 200; i > 0; i--) {
      assert.equal(moments.now, states[i]);
      moments = history.undo(moments);
    }
    assert.equal(moments.now, first.now);
    assert.equal(history.undo(moments), moments);
    for (let i = 0; i < 200; i++) moments = history.redo(moments);
    assert.equal(moments.now, states[200]);
  }
});

test('steps of one kind are one step until the step ends', () => {
  const moment = (text) => ({
    tree: tree.EMPTY_TREE,
    typed: undefined,
    pending: { text },
    chain: {},
    seed: 0,
  });
  let moments = history.begin(moment(''));
  for (const typed of ['a', 'ab', 'abc'])
    moments = history.addStep(moments, moment(typed), 'typing');
  assert.equal(moments.past.length, 1);
  moments = history.addStep(history.endStep(moments), moment('x'), 'typing');
  assert.equal(history.undo(moments).now.pending.text, 'abc');
  assert.equal(history.undo(history.undo(moments)).now.pending.text, '');
});

test('an edit keeps the tokens before it, however the tokenizer would cut them', () => {
  /** Display tokens of a path whose nodes have these texts. */
  const shown = (...pieces) => {
    let now = tree.EMPTY_TREE;
    for (const [token, piece] of pieces)
      now = tree.addToken(now, { ...generated(token), bytes: new TextEncoder().encode(piece) });
    return text.displayTokens(tree.pathTo(now.current), false);
  };
  /** What the tokenizer gives. */
  const own = (...pieces) => {
    let end = 0;
    return pieces.map(([token, piece]) => ({ token, start: end, end: (end += piece.length) }));
  };
  const drawn = shown([1, ' the'], [2, 're'], [3, ' is'], [4, ' a']);
  // the tokenizer would write " there" as one token, 9
  const end = own([9, ' there'], [3, ' is'], [4, ' a'], [5, ' cat']);
  assert.deepEqual(edits.editedIds(drawn, ' there is a cat', end), [1, 2, 3, 4, 5]);
  const middle = own([9, ' there'], [6, ' was'], [4, ' a']);
  assert.deepEqual(edits.editedIds(drawn, ' there was a', middle), [1, 2, 6, 4]);
  // the edit is inside the second token: only what comes before the word stays
  assert.deepEqual(edits.editedIds(drawn, ' theme', own([8, ' theme'])), [8]);
  // a word goes on: the token of its beginning is not kept
  assert.deepEqual(
    edits.editedIds(drawn, ' there is all', own([9, ' there'], [3, ' is'], [7, ' all'])),
    [1, 2, 3, 7],
  );
  assert.deepEqual(edits.editedIds(drawn, '', []), []);
  // BOS covers no character
  const begun = shown([0, ''], [1, ' the']);
  assert.deepEqual(edits.editedIds(begun, 'x', own([0, ''], [6, 'x'])), [0, 6]);
  assert.deepEqual(
    edits.editedIds(begun, ' the x', own([0, ''], [1, ' the'], [6, ' x'])),
    [0, 1, 6],
  );
});

test('offsets in bytes become offsets in characters; no edit cuts an emoji', () => {
  const bytes = [
    { token: 1, start: 0, end: 1 }, // a
    { token: 2, start: 1, end: 3 }, // é
    { token: 3, start: 3, end: 7 }, // an emoji
    { token: 4, start: 7, end: 7 }, // its second token covers no byte
    { token: 5, start: 7, end: 8 }, // b
  ];
  assert.deepEqual(
    edits.charOffsets('aé😀b', bytes).map(({ start, end }) => [start, end]),
    [[0, 1], [1, 2], [2, 4], [4, 4], [4, 5]],
  ); // prettier-ignore
  assert.equal(edits.commonLength('a😀', 'a😁'), 1);
  assert.equal(edits.commonLength('a😀b', 'a😀c'), 3);
});

test('the window of a token depends on its index only, and leaves room for the token', () => {
  for (const n_ctx of [2, 3, 8, 9]) {
    const reader = new windows.Windows({ n_ctx, bos: 1 });
    const ids = [1, ...Array.from({ length: 5 * n_ctx }, (_, i) => 100 + i)];
    for (let index = 0; index < ids.length; index++) {
      const { number, ids: seen } = reader.at(ids, index);
      assert.deepEqual(reader.at(ids.slice(0, index), index), { number, ids: seen });
      assert.ok(seen.length < n_ctx && index < reader.endOf(number));
      assert.ok(number === 0 || index >= reader.endOf(number - 1));
      if (index > 0) assert.equal(seen[0], 1, 'BOS stays');
      if (number > 0) assert.ok(seen.length >= Math.floor(n_ctx / 2));
      const tail = seen.slice(1);
      assert.deepEqual(tail, ids.slice(index - tail.length, index));
    }
  }
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
  const shown = (dropSpace, ...pieces) => {
    let now = tree.EMPTY_TREE;
    for (const [i, bytes] of pieces.entries())
      now = tree.addToken(now, { ...generated(i), bytes: Uint8Array.from(bytes), text: '<s>' });
    return text.displayTokens(tree.pathTo(now.current), dropSpace);
  };
  const path = [
    [],
    [32, 72, 105],
    [0xf0, 0x9f],
    [0x98],
    [0x80, 33],
    [0x80],
    [32, 120],
    [0xe2, 0x82],
  ];
  const display = shown(true, ...path);
  assert.deepEqual(
    display.map(({ text }) => text),
    ['', 'Hi', '', '', '😀!', '\ufffd', ' x', ''],
  );
  assert.deepEqual(
    display.map(({ start }) => start),
    [0, 0, 2, 2, 2, 5, 6, 8],
  );
  assert.deepEqual(
    display.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.equal(shown(false, ...path)[1].text, ' Hi');
});

test('tokens that end anywhere in a text give the characters of the whole text', () => {
  const random = generator(7);
  const bits = ['a', 'é', '€', '😀', ' ', '\n', 'ש', 'ا'];
  for (let round = 0; round < 300; round++) {
    const broken = random() < 0.5;
    const bytes = [
      ...new TextEncoder().encode(
        Array.from({ length: 12 }, () => bits[Math.floor(random() * bits.length)]).join(''),
      ),
    ].map((byte) => (broken && random() < 0.2 ? Math.floor(random() * 256) : byte));
    let now = tree.EMPTY_TREE;
    for (let i = 0, token = 0; i < bytes.length; token++) {
      const end = i + 1 + Math.floor(random() * 4);
      now = tree.addToken(now, {
        ...generated(token),
        bytes: Uint8Array.from(bytes.slice(i, end)),
      });
      i = end;
    }
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const whole = decoder.decode(Uint8Array.from(bytes), { stream: true });
    const display = text.displayTokens(tree.pathTo(now.current), false);
    assert.equal(display.map(({ text }) => text).join(''), whole, bytes.join(' '));
  }
});

test('addresses: https, a file of the same server, a file on Hugging Face, or none', () => {
  const at = (given) => models.addressOf(given, 'http://127.0.0.1:8080/page');
  assert.equal(at(' owner/repo/file.gguf '), `${models.HUB}/owner/repo/resolve/main/file.gguf`);
  assert.match(at('owner/repo/sub dir/file.GGUF'), /resolve\/main\/sub%20dir\/file\.GGUF$/);
  assert.equal(at('https://example.org/a.gguf'), 'https://example.org/a.gguf');
  assert.equal(at('/a.gguf'), 'http://127.0.0.1:8080/a.gguf');
  for (const bad of [
    '',
    'file.gguf',
    'javascript:alert(1)',
    'http://example.org/a.gguf', // the page's policy forbids it
    'data:,x',
    'owner/../../x.gguf',
    'blob:x',
    'owner/repo/file.txt',
  ])
    assert.equal(at(bad), undefined, bad);
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
