/** Checks a caller's options and turns them into plain numbers for the engine. */
import type { SampleRequest, TokenList } from '../engine/sampling.js';
import { TokenglassError } from '../types/errors.js';
import { stages } from '../types/generated.js';
import type { CandidatesOptions, LogitBias, SamplerOptions } from '../types/types.js';

export const MAX_INT32 = 2 ** 31 - 1;
const MAX_UINT32 = 2 ** 32 - 1;
const DEFAULT_BREAKERS = ['\n', ':', '"', '*'];

const stageOptions = stages.flatMap(({ options }) => options);
const stageLists = stages.flatMap(({ lists }) => lists);

/** The names of all sampler options. */
export const samplerOptionNames: readonly string[] = [
  'samplers',
  'seed',
  ...stageOptions.map(({ name }) => name),
  ...stageLists,
];

const invalid = (message: string) => new TokenglassError('INVALID_ARGUMENT', message);
const badOption = (message: string) => new TokenglassError('SAMPLER_BAD_OPTION', message);

/** Throws for an option that is not known, which is usually a misspelt one. */
export function checkNames(options: object, known: readonly string[], method: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw invalid(`${method} has no option "${name}"; known: ${known.join(', ')}`);
  }
}

export function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`${name} is ${String(value)}; it must be a whole number of ${min} to ${max}`);
  }
  return value;
}

/** The index of an option's value in the list; the list's length for an option not given. */
export function indexIn(list: readonly string[], value: string | undefined, name: string): number {
  const index = value === undefined ? list.length : list.indexOf(value);
  if (index < 0) throw invalid(`${name} is "${String(value)}"; known: ${list.join(', ')}`);
  return index;
}

export function checkSeed(seed: unknown): bigint {
  if (typeof seed === 'bigint' && seed >= 0n && seed < 1n << 64n) return seed;
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  throw invalid(
    `seed is ${String(seed)}; it must be a whole number of 0 to 2^53 - 1 or a bigint of 64 bits`,
  );
}

/** 53 random bits, so that the seed is also a safe number. */
export const randomSeed = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0]! >> 11n;

export function idsOf(ids: readonly number[]): Int32Array {
  for (const [i, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id > MAX_INT32)
      throw new TokenglassError(
        'TOKEN_OUT_OF_RANGE',
        `token ${i} is ${String(id)}, which is not a token id`,
      );
  }
  return Int32Array.from(ids);
}

const tokenList = (tokens: Int32Array): TokenList => ({ tokens, values: undefined });

function biasOf(bias: LogitBias): TokenList {
  const entries = bias instanceof Map ? [...bias] : Object.entries(bias);
  const tokens = idsOf(entries.map(([id]) => (id === '' ? NaN : Number(id))));
  const values = Float32Array.from(entries, ([id, value]) => {
    if (typeof value !== 'number' || !(Math.fround(value) < Infinity))
      throw badOption(`logit_bias of token ${id} is ${String(value)}`);
    return value;
  });
  return { tokens, values };
}

function allowedOf(ids: readonly number[]): TokenList {
  if (ids.length === 0) throw badOption('allowed_tokens is empty: nothing could be drawn');
  return tokenList(idsOf(ids));
}

function breakersOf(texts: readonly string[]): string[] {
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string'))
    throw badOption('dry_sequence_breakers must be a list of strings');
  return [...texts];
}

function stageNumber(name: string): number {
  const number = stages.findIndex((stage) => stage.name === name);
  if (number < 0) {
    const known = stages.map((stage) => stage.name).join(', ');
    throw badOption(`there is no sampler stage "${String(name)}"; known: ${known}`);
  }
  return number;
}

/** The numbers of the stages in the order in which they run. */
function orderOf(options: SamplerOptions): number[] {
  const mirostat = (options.mirostat ?? 0) !== 0;
  const chain = mirostat ? 'MIROSTAT' : 'USUAL';
  const defaults = stages.filter((stage) => stage.chain === 'ALWAYS' || stage.chain === chain);
  const names: readonly string[] = options.samplers ?? defaults.map(({ name }) => name);
  const order = names.map(stageNumber);
  if (new Set(order).size !== order.length) throw badOption('samplers names a stage twice');
  if (mirostat && !names.includes('mirostat'))
    throw badOption('mirostat is on, but samplers does not name it');
  const unnamedLists = stages.flatMap(({ name, chain, lists }, number) => {
    const given = lists.some((list) => options[list] !== undefined);
    return chain === 'LISTED' && !names.includes(name) && given ? [number] : [];
  });
  return [...unnamedLists, ...order];
}

/** The value of every numeric option, checked against its range. */
function numbersOf(options: SamplerOptions): number[] {
  return stageOptions.map(({ name, default: initial, min, max, whole }) => {
    const value = options[name] ?? initial;
    const inRange = typeof value === 'number' && value >= min && value <= max;
    if (!inRange || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number of ' : '';
      throw badOption(`${name} is ${String(value)}; it must be ${kind}${min} to ${max}`);
    }
    return value;
  });
}

export function sampleRequest(
  options: CandidatesOptions,
  defaultSeed: bigint,
  top_n: number,
): SampleRequest {
  const { logit_bias, allowed_tokens, banned_tokens, grammar } = options;
  const none = tokenList(new Int32Array());
  return {
    options: numbersOf(options),
    order: orderOf(options),
    lists: {
      logit_bias: logit_bias ? biasOf(logit_bias) : none,
      allowed_tokens: allowed_tokens ? allowedOf(allowed_tokens) : none,
      banned_tokens: banned_tokens ? tokenList(idsOf(banned_tokens)) : none,
      grammar: grammar instanceof Int32Array ? tokenList(grammar) : none,
    },
    breakers: options.dry_multiplier
      ? breakersOf(options.dry_sequence_breakers ?? DEFAULT_BREAKERS)
      : [],
    seed: options.seed === undefined ? defaultSeed : checkSeed(options.seed),
    sample_index: wholeNumber(options.sample_index ?? 0, 'sample_index', 0, MAX_UINT32),
    top_n,
    all_removed: options.all_removed ?? false,
  };
}
