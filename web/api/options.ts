/** What a caller's options mean: in, the options as given; out, plain numbers for the engine, or an error that names the option. */
import type { SampleRequest, TokenList } from '../engine/sampling.js';
import { TokenglassError } from '../types/errors.js';
import { stages } from '../types/generated.js';
import type { CandidatesOptions, LogitBias, SamplerOptions } from '../types/types.js';

const invalid = (message: string) => new TokenglassError('INVALID_ARGUMENT', message);

/** A misspelt option is an error, not a silent default. */
export function checkNames(options: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw invalid(`${what} has no option "${name}"; known: ${known.join(', ')}`);
  }
}

export function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`${name} is ${String(value)}; it must be a whole number of ${min} to ${max}`);
  }
  return value;
}

export function checkSeed(seed: unknown): bigint {
  if (typeof seed === 'bigint' && seed >= 0n && seed < 1n << 64n) return seed;
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  throw invalid(
    `seed is ${String(seed)}; it must be a whole number of 0 to 2^53 - 1 or a bigint of 64 bits`,
  );
}

export const randomSeed = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0]! >> 11n;

const stageOptions = stages.flatMap(({ options }) => options);
const stageLists = stages.flatMap(({ lists }) => lists);
const DEFAULT_BREAKERS = ['\n', ':', '"', '*'];
const MOST_STREAMS = 2 ** 32 - 1;

/** The names of all sampler options. */
export const samplerOptionNames: readonly string[] = [
  'samplers',
  'seed',
  ...stageOptions.map(({ name }) => name),
  ...stageLists,
];

const badOption = (message: string) => new TokenglassError('SAMPLER_BAD_OPTION', message);

function biasOf(given: LogitBias): TokenList {
  const entries = given instanceof Map ? [...given] : Object.entries(given);
  const tokens = idsOf(entries.map(([id]) => (id === '' ? NaN : Number(id))));
  const values = Float32Array.from(entries, ([id, value]) => {
    if (typeof value !== 'number' || !(Math.fround(value) < Infinity))
      throw badOption(`logit_bias of token ${id} is ${String(value)}`);
    return value;
  });
  return { tokens, values };
}

/** An empty list of what is allowed would allow nothing. */
function allowedOf(given: readonly number[]): TokenList {
  if (given.length === 0) throw badOption('allowed_tokens is empty: nothing could be drawn');
  return { tokens: idsOf(given), values: undefined };
}

function breakersOf(given: readonly string[]): string[] {
  if (!Array.isArray(given) || !given.every((text) => typeof text === 'string'))
    throw badOption('dry_sequence_breakers must be a list of strings');
  return [...given];
}

/** The stages' numbers in the order in which they run. */
function orderOf(given: SamplerOptions): number[] {
  const mirostat = (given.mirostat ?? 0) !== 0;
  const usual = stages.filter(
    ({ chain }) => chain === 'ALWAYS' || chain === (mirostat ? 'MIROSTAT' : 'USUAL'),
  );
  const names: readonly string[] = given.samplers ?? usual.map(({ name }) => name);
  const order = names.map((name) => {
    const number = stages.findIndex((stage) => stage.name === name);
    if (number < 0)
      throw badOption(
        `there is no sampler stage "${String(name)}"; known: ${stages.map((stage) => stage.name).join(', ')}`,
      );
    return number;
  });
  if (new Set(order).size !== order.length) throw badOption('a sampler stage stands twice');
  if (mirostat && !names.includes('mirostat'))
    throw badOption('mirostat is on, but samplers leaves it out');
  const listed = stages.flatMap(({ name, chain, lists }, number) =>
    chain === 'LISTED' && !names.includes(name) && lists.some((list) => given[list] !== undefined)
      ? [number]
      : [],
  );
  return [...listed, ...order];
}

export function sampleRequest(
  given: CandidatesOptions,
  seed: bigint,
  top_n: number,
): SampleRequest {
  const options = stageOptions.map(({ name, default: usual, min, max, whole }) => {
    const value = given[name] ?? usual;
    if (
      typeof value !== 'number' ||
      !(value >= min && value <= max) ||
      (whole && !Number.isInteger(value))
    ) {
      throw badOption(
        `${name} is ${String(value)}; it must be ${whole ? 'a whole number of ' : ''}${min} to ${max}`,
      );
    }
    return value;
  });
  const bits = given.seed === undefined ? seed : checkSeed(given.seed);
  const none = { tokens: new Int32Array(), values: undefined };
  return {
    options,
    order: orderOf(given),
    lists: {
      logit_bias: given.logit_bias ? biasOf(given.logit_bias) : none,
      allowed_tokens: given.allowed_tokens ? allowedOf(given.allowed_tokens) : none,
      grammar:
        given.grammar instanceof Int32Array ? { tokens: given.grammar, values: undefined } : none,
      banned_tokens: given.banned_tokens
        ? { tokens: idsOf(given.banned_tokens), values: undefined }
        : none,
    },
    breakers: given.dry_multiplier
      ? breakersOf(given.dry_sequence_breakers ?? DEFAULT_BREAKERS)
      : [],
    seed: [Number(bits & 0xffffffffn), Number(bits >> 32n)],
    sample_index: wholeNumber(given.sample_index ?? 0, 'sample_index', 0, MOST_STREAMS),
    top_n,
    all_removed: given.all_removed ?? false,
  };
}

export function idsOf(ids: readonly number[]): Int32Array {
  for (const [i, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id > 0x7fffffff) {
      throw new TokenglassError('TOKEN_OUT_OF_RANGE', `token ${i} is ${String(id)}: no token id`);
    }
  }
  return Int32Array.from(ids);
}
