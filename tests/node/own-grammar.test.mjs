// A program's own grammar: whatever its methods give, throw or leave pending, the call fails by
// name or hears its abort, the session is free again, and the model generates the same tokens as
// before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { HOSTILE, checkError, settled } from '../support/hostile.mjs';
import { collect, greedy, tokensOf, withModel } from '../support/support.mjs';

const PROMPT = 'Once upon a time there was';
const WORDS = 96; // of bits for the 3072 tokens of the built-in model
const ONLY = 300; // the token that the good bits allow

const onlyOne = (length = WORDS, Type = Int32Array) => {
  const bits = new Type(length);
  bits[ONLY >> 5] = 1 << (ONLY & 31);
  return bits;
};

function detachedBits() {
  const bits = onlyOne();
  structuredClone(undefined, { transfer: [bits.buffer] });
  return bits;
}

class LyingBits extends Int32Array {
  get length() {
    return WORDS;
  }
}

const throws = (error) => () => {
  throw error;
};

const stateOf = (allowed, rest = {}) => ({
  allowed,
  accept: () => undefined,
  ended: false,
  ...rest,
});
const grammarOf = (allowed, rest) => ({ begin: () => stateOf(allowed, rest) });

/** What allowed() gives instead of bits. */
const WRONG_BITS = {
  ...HOSTILE,
  undefined: () => undefined,
  'a Set of ids': () => new Set([ONLY]),
  'a list of ids': () => [ONLY],
  'a plain list of bits': () => Array.from(onlyOne()),
  'one word too few': () => onlyOne(WORDS - 1),
  'one word too many': () => onlyOne(WORDS + 1),
  'no word': () => new Int32Array(0),
  'a word for each token': () => new Int32Array(3072),
  Int16Array: () => onlyOne(WORDS, Int16Array),
  Uint32Array: () => onlyOne(WORDS, Uint32Array),
  Float32Array: () => onlyOne(WORDS, Float32Array),
  'bits that were detached': detachedBits,
  'a length that lies': () => new LyingBits(4),
  'a proxy of bits': () => new Proxy(onlyOne(), {}),
  'an object like bits': () => ({ length: WORDS, ...onlyOne() }),
};
delete WRONG_BITS['a promise for ever']; // these two are tested with an abort

const RIGHT_BITS = {
  'an Int32Array': () => onlyOne(),
  'a promise': () => Promise.resolve(onlyOne()),
  'a thenable': () => ({ then: (resolve) => resolve(onlyOne()) }),
  'a part of a larger buffer': () => {
    const larger = new Int32Array(WORDS + 5);
    larger.set(onlyOne(), 3);
    return larger.subarray(3, WORDS + 3);
  },
  'a view of shared memory': () => {
    const shared = new Int32Array(new SharedArrayBuffer(WORDS * 4));
    shared.set(onlyOne());
    return shared;
  },
  'a frozen object around it': () => Object.freeze([onlyOne()])[0],
};

/** The calls that take a grammar. */
const CALLS = {
  generate: (session, options) =>
    collect(session.generate(undefined, { ...options, max_tokens: 2 })),
  candidates: (session, options) => session.candidates(options),
  explain: (session, options) => session.explain(5, options),
};

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";

  /** Calls use with a model and a session; the model must be unharmed afterwards. */
  const unharmed = (use) =>
    withModel('storybook', { worker }, async (model) => {
      const before = await greedy(model, PROMPT);
      const session = model.createSession({ seed: 1 });
      await session.sync(PROMPT);
      const { length } = session.tokens;
      await use(session, model, async () => {
        await session.rewind(length); // not SESSION_BUSY
      });
      assert.deepEqual(await greedy(model, PROMPT), before);
    });

  test(`allowed() that gives no bits is refused by name ${where}`, () =>
    unharmed(async (session, model, rewind) => {
      for (const [what, bits] of Object.entries(WRONG_BITS)) {
        for (const [name, call] of Object.entries(CALLS)) {
          const place = `${name} with ${what}`;
          const { error } = await settled(place, () => call(session, { grammar: grammarOf(bits) }));
          assert.equal(error?.code, 'INVALID_ARGUMENT', `${place}: ${error}`);
          assert.match(error.message, /allowed\(\)/, place);
          await rewind();
        }
      }
      // the message says what is there and what must be there
      const grammar = grammarOf(() => new Set([ONLY]));
      await assert.rejects(session.candidates({ grammar }), {
        message: /a Set; it must be an Int32Array of 96 elements/,
      });
    }));

  test(`bits in place of a grammar are checked, too ${where}`, () =>
    unharmed(async (session, model, rewind) => {
      for (const [what, bits] of Object.entries(WRONG_BITS)) {
        const value = bits();
        if (value === undefined || value === null) continue; // no grammar
        for (const [name, call] of Object.entries(CALLS)) {
          const place = `${name} with ${what}`;
          const { error } = await settled(place, () => call(session, { grammar: value }));
          assert.match(error?.code ?? '', /^(INVALID_ARGUMENT|SAMPLER_BAD_OPTION)$/, place);
          await rewind();
        }
      }
    }));

  test(`bits of any origin restrict the choice ${where}`, () =>
    unharmed(async (session, model, rewind) => {
      for (const [what, bits] of Object.entries(RIGHT_BITS)) {
        const { draw } = await session.candidates({ grammar: grammarOf(bits) });
        assert.equal(draw.token, ONLY, what);
        const steps = await collect(
          session.generate(undefined, { grammar: grammarOf(bits), max_tokens: 3 }),
        );
        assert.deepEqual(tokensOf(steps), [ONLY, ONLY, ONLY], what);
        await rewind();
      }
      // the bits are copied: the program may use its array again
      const bits = onlyOne();
      const grammar = grammarOf(() => bits, { accept: () => bits.fill(-1) });
      const steps = await collect(session.generate(undefined, { grammar, max_tokens: 1 }));
      assert.deepEqual(tokensOf(steps), [ONLY]);
    }));

  test(`a grammar that throws, or is none, fails the call and frees the session ${where}`, () =>
    unharmed(async (session, model, rewind) => {
      const own = new RangeError('my own');
      const good = () => onlyOne();
      const wrong = {
        'begin throws': { begin: throws(own) },
        'begin rejects': { begin: () => Promise.reject(own) },
        'begin gives nothing': { begin: () => undefined },
        'begin is none': { begin: 5 },
        'begin is a getter that throws': Object.defineProperty({}, 'begin', { get: throws(own) }),
        'begin gives a proxy': {
          begin: () => new Proxy({}, { get: throws(own) }),
        },
        'no allowed': { begin: () => ({ accept: good, ended: false }) },
        'no accept': { begin: () => ({ allowed: good, ended: false }) },
        'allowed throws': grammarOf(throws(own)),
        'allowed rejects': grammarOf(() => Promise.reject(own)),
        'a thenable that throws': grammarOf(() => ({ then: throws(own) })),
        'accept throws': grammarOf(good, { accept: throws(own) }),
        'accept rejects': grammarOf(good, { accept: () => Promise.reject(own) }),
        'ended throws': {
          begin: () => Object.defineProperty(stateOf(good), 'ended', { get: throws(own) }),
        },
        'ended is a promise': grammarOf(good, { ended: Promise.resolve(false) }),
        'ended is a number': grammarOf(good, { ended: 1 }),
      };
      for (const [what, value] of Object.entries(HOSTILE)) wrong[what] = value();
      for (const nothing of ['null']) delete wrong[nothing];
      for (const [what, grammar] of Object.entries(wrong)) {
        const { error } = await settled(what, () => CALLS.generate(session, { grammar }));
        assert.match(error?.code ?? '', /^(INVALID_ARGUMENT|SAMPLER_BAD_OPTION)$/, what);
        if (error.cause === own) assert.match(error.message, /grammar.* (failed|is)/, what);
        await rewind();
      }
      // the tokens are the engine's, also when accept() fails after a step
      const grammar = grammarOf(good, { accept: throws(own) });
      const { length } = session.tokens;
      await assert.rejects(CALLS.generate(session, { grammar }), { cause: own });
      assert.deepEqual(session.tokens.slice(length), [ONLY]);
      await session.append(301);
      assert.equal((await session.candidates()).position, length + 2);
      await rewind();
      // dispose() of the program that fails does not harm a generation
      for (const dispose of [throws(own), () => Promise.reject(own), 5]) {
        const options = { grammar: grammarOf(good, { dispose }) };
        assert.equal((await CALLS.generate(session, options)).length, 2);
        await rewind();
      }
    }));

  test(`an abort, return() and dispose() are heard while a grammar waits ${where}`, () =>
    unharmed(async (session, model, rewind) => {
      const never = () => new Promise(() => undefined);
      let disposed = 0;
      const dispose = () => void disposed++;
      const waiting = {
        begin: { begin: never },
        allowed: grammarOf(never, { dispose }),
        accept: grammarOf(() => onlyOne(), { accept: never, dispose }),
        'a thenable': grammarOf(() => ({ then: () => undefined }), { dispose }),
      };
      for (const [what, grammar] of Object.entries(waiting)) {
        for (const [name, call] of Object.entries(CALLS)) {
          if (what === 'accept' && name !== 'generate') continue;
          const controller = new AbortController();
          const begun = settled(what, () => call(session, { grammar, signal: controller.signal }));
          setTimeout(() => controller.abort(new Error('mine')), 20);
          const { error } = await begun;
          assert.equal(error?.message, 'mine', `${name} while ${what} waits`);
          await rewind();
        }
        const generation = session.generate(undefined, { grammar });
        const first = generation.next();
        await pause(20);
        const { value } = await settled(what, () => generation.return());
        assert.equal(value.done, true);
        assert.equal((await first).done, true);
        await rewind();

        const other = await session.fork();
        const begun = settled(what, () => CALLS.generate(other, { grammar }));
        await pause(20);
        await other.dispose();
        assert.equal((await begun).error?.code, 'DISPOSED', what);
      }
      assert.equal(disposed, 3 * 3 + 4, 'each state that began was disposed');
      // a state that comes after the abort is disposed, too
      let finish;
      const late = new Promise((resolve) => (finish = resolve));
      const controller = new AbortController();
      const options = { grammar: { begin: () => late }, signal: controller.signal };
      const begun = settled('late', () => CALLS.candidates(session, options));
      controller.abort();
      assert.equal((await begun).error?.name, 'AbortError');
      finish(stateOf(never, { dispose }));
      await pause(20);
      assert.equal(disposed, 3 * 3 + 5);
    }));

  test(`the end of a model is heard while a grammar waits ${where}`, () =>
    withModel('storybook', { worker }, async (model) => {
      const session = model.createSession();
      await session.sync(PROMPT);
      const grammar = grammarOf(() => new Promise(() => undefined));
      const begun = Object.entries(CALLS).map(async ([name, call]) => {
        const { error } = await settled(name, () => call(session, { grammar }));
        checkError(name, error);
        assert.equal(error.code, 'DISPOSED', name);
      });
      await pause(20);
      await model.dispose();
      await Promise.all(begun);
    }));

  test(`an asynchronous accept() is awaited, and ended ends the generation ${where}`, () =>
    unharmed(async (session) => {
      let accepted = 0;
      const state = {
        allowed: () => onlyOne(),
        async accept() {
          await pause(5);
          accepted++;
        },
        get ended() {
          return accepted === 3;
        },
      };
      const steps = await collect(
        session.generate(undefined, { grammar: { begin: async () => state }, max_tokens: 10 }),
      );
      assert.deepEqual([steps.length, accepted], [3, 3]);
    }));
}
