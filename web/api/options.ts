/** Checks the sampler's options and turns them into plain numbers for the engine. */
import type { SampleRequest, TokenList } from '../engine/sampling.js';
import { TokenglassError, shown, typed } from '../types/errors.js';
import { stages } from '../types/generated-stages.js';
import { suggestion } from '../types/names.js';
import type { CandidatesOptions, SamplerOptions } from '../types/types.js';
import {
  checkSeed,
  flag,
  idOf,
  idsOf,
  isGiven,
  listOf,
  reading,
  tagOf,
  wholeNumber,
} from '../types/arguments.js';

export { samplerOptionNames } from '../types/sampler-names.js';

const MAX_UINT32 = 2 ** 32 - 1;
const DEFAULT_BREAKERS = ['\n', ':', '"', '*'];

const stageOptions = stages.flatMap(({ options }) => options);

export const badOption = (message: string) => new TokenglassError('SAMPLER_BAD_OPTION', message);

/** 53 random bits, so that the seed is also a safe number. */
export const randomSeed = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0]! >> 11n;

const tokenList = (tokens: Int32Array): TokenList => ({ tokens, values: undefined });

/** The pairs of a Map of any realm, or of a plain object. */
function pairsOf(bias: object): [unknown, unknown][] {
  try {
    return [...Map.prototype.entries.call(bias)];
  } catch {
    if (tagOf(bias) === 'Object') return Object.entries(bias);
    throw badOption(`logit_bias is ${typed(bias)}; it must be an object or a Map`);
  }
}

function biasOf(bias: unknown): TokenList {
  const pairs = reading('logit_bias', () => pairsOf(bias as object));
  const isNumber = (id: unknown) => typeof id === 'string' && /^\d+$/.test(id);
  const tokens = pairs.map(([id]) => idOf(isNumber(id) ? Number(id) : id, 'a key of logit_bias'));
  const values = Float32Array.from(pairs, ([id, value]) => {
    if (typeof value !== 'number' || !(Math.fround(value) < Infinity))
      throw badOption(
        `logit_bias of token ${String(id)} is ${typed(value, 'number')}; ` +
          'it must be a number or -Infinity',
      );
    return value;
  });
  return { tokens: Int32Array.from(tokens), values };
}

function allowedOf(ids: unknown): TokenList {
  const tokens = idsOf(ids, 'allowed_tokens');
  if (tokens.length === 0) throw badOption('allowed_tokens is empty: nothing could be drawn');
  return tokenList(tokens);
}

/** A copy of a list of texts. */
const textsOf = (texts: unknown, name: string): string[] =>
  listOf(texts, name, (text) => {
    if (typeof text !== 'string')
      throw badOption(`${name} has ${typed(text)}; each element must be a text`);
    return text;
  });

function stageNumber(name: string): number {
  const number = stages.findIndex((stage) => stage.name === name);
  if (number < 0) {
    const known = stages.map((stage) => stage.name);
    throw badOption(`there is no sampler stage ${shown(name)}${suggestion(name, known)}`);
  }
  return number;
}

/** The numbers of the stages in the order in which they run. */
function orderOf(options: SamplerOptions): number[] {
  const mirostat = (options.mirostat ?? 0) !== 0;
  const chain = mirostat ? 'MIROSTAT' : 'USUAL';
  const defaults = stages.filter((stage) => stage.chain === 'ALWAYS' || stage.chain === chain);
  const { samplers } = options;
  const names = isGiven(samplers)
    ? textsOf(samplers, 'samplers')
    : defaults.map(({ name }) => name);
  const order = names.map(stageNumber);
  if (new Set(order).size !== order.length) throw badOption('samplers names a stage twice');
  if (mirostat && !names.includes('mirostat'))
    throw badOption('mirostat is on, but samplers does not name it');
  const unnamedLists = stages.flatMap(({ name, chain, lists }, number) => {
    const given = lists.some((list) => isGiven(options[list]));
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
      const kind = whole ? 'a whole number of ' : 'a number of ';
      const text = typed(value, 'number');
      throw badOption(`${name} is ${text}; it must be ${kind}${min} to ${max}`);
    }
    return value;
  });
}

/**
 * The request of the options that readOptions gave. Null is the default here, as in the API of
 * completions. The option `grammar` is not read.
 */
export function sampleRequest(
  options: CandidatesOptions,
  defaultSeed: bigint,
  top_n: number,
): SampleRequest {
  const { logit_bias, allowed_tokens, banned_tokens } = options;
  const none = tokenList(new Int32Array());
  const breakers = textsOf(
    options.dry_sequence_breakers ?? DEFAULT_BREAKERS,
    'dry_sequence_breakers',
  );
  return {
    options: numbersOf(options),
    order: orderOf(options),
    lists: {
      logit_bias: isGiven(logit_bias) ? biasOf(logit_bias) : none,
      allowed_tokens: isGiven(allowed_tokens) ? allowedOf(allowed_tokens) : none,
      banned_tokens: isGiven(banned_tokens)
        ? tokenList(idsOf(banned_tokens, 'banned_tokens'))
        : none,
      grammar: none,
    },
    grammar: undefined,
    breakers: options.dry_multiplier ? breakers : [],
    seed: options.seed === undefined ? defaultSeed : checkSeed(options.seed),
    sample_index: wholeNumber(options.sample_index ?? 0, 'sample_index', 0, MAX_UINT32),
    top_n,
    all_removed: flag(options.all_removed, 'all_removed', false),
  };
}
