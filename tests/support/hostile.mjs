// Values that no caller should pass, and how the calls of the API must take them: a call works, or
// it fails with a documented code, in bounded time.
import { TokenglassError, errorCodes } from '../../dist/node.js';

const MAX_MS = 20_000; // for one call on a slow machine
const codes = new Set(errorCodes.map(({ name }) => name));

const boom = () => {
  throw new RangeError('boom');
};

/** A buffer's view whose buffer went to nowhere. */
function detached(Type) {
  const view = new Type(4);
  structuredClone(undefined, { transfer: [view.buffer] });
  return view;
}

function cyclic() {
  const object = { a: 1 };
  object.self = object;
  return object;
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** A proxy; each of its traps throws. */
const throwingProxy = (target) =>
  new Proxy(
    target,
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, boom])),
  );

/** By name: a function that makes the value. */
export const HOSTILE = {
  null: () => null,
  true: () => true,
  NaN: () => NaN,
  '-1': () => -1,
  1.5: () => 1.5,
  '2^32': () => 2 ** 32,
  '2^53': () => 2 ** 53,
  Infinity: () => Infinity,
  'an empty text': () => '',
  'a number as text': () => '5',
  'a lone surrogate': () => '\ud800',
  __proto__: () => '__proto__',
  bigint: () => 5n,
  'a large bigint': () => 2n ** 70n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  'an object': () => ({}),
  'a frozen object': () => Object.freeze({ a: 1 }),
  'an object without prototype': () => Object.create(null),
  'an object with the key __proto__': () =>
    JSON.parse('{"__proto__":{"top_n":-1},"constructor":1}'),
  'an object that inherits an option': () => Object.create({ top_n: -1, signal: {} }),
  'a cyclic object': cyclic,
  'a getter that throws': () =>
    Object.defineProperty({}, 'signal', { get: boom, enumerable: true }),
  'a toString that throws': () => ({ toString: boom, valueOf: boom, toJSON: boom }),
  'a name that throws': () => Object.defineProperty({}, Symbol.toStringTag, { get: boom }),
  'a proxy that throws': () => throwingProxy({}),
  'a proxy of a list that throws': () => throwingProxy([]),
  'a revoked proxy': revoked,
  'a proxy of a list without end': () =>
    new Proxy([], { get: (list, key) => (key === 'length' ? 2 ** 53 : list[key]) }),
  'an error': () => new Error('boom'),
  'a date': () => new Date(NaN),
  'a promise': () => Promise.resolve(1),
  'a promise for ever': () => new Promise(() => undefined),
  'a thenable that throws': () => ({ then: boom }),
  'a list': () => [1, 'x', undefined],
  'a sparse list': () => [, 1],
  'a list of 2^32 - 1 holes': () => new Array(2 ** 32 - 1),
  'a length below 0': () => ({ length: -100 }),
  'a length of 2^53': () => ({ length: 2 ** 53 }),
  'a set': () => new Set([1, 2]),
  'a map': () => new Map([['top_n', 1]]),
  bytes: () => Uint8Array.of(1, 2, 3),
  'bytes that were detached': () => detached(Uint8Array),
  'a buffer that was detached': () => detached(Uint8Array).buffer,
  'shared bytes': () => new Uint8Array(new SharedArrayBuffer(8)),
  'a shared buffer': () => new SharedArrayBuffer(8),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'numbers of 64 bits': () => BigInt64Array.of(1n),
  'an abort signal': () => new AbortController().signal,
};

/** What a call gives: { value }, or { error }. Fails when the call takes too long. */
export async function settled(name, call) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: no answer in ${MAX_MS} ms`)), MAX_MS);
  });
  const outcome = (async () => call())().then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fails when an error is not one of ours. */
export function checkError(name, error) {
  if (error instanceof TokenglassError && codes.has(error.code)) return;
  throw new Error(`${name} gives an error that is not documented`, { cause: error });
}

/** Runs a call that must work, or fail with a documented code. */
export async function checkCall(name, call) {
  const { error } = await settled(name, call);
  if (error !== undefined) checkError(name, error);
  return error;
}
