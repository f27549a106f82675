/** What a caller's options mean: in, the options as given; out, plain numbers for the engine, or an error that names the option. */
import type { SampleRequest } from './core.js';
import { TokenglassError } from './errors.js';
import { stages } from './generated.js';
import type { SamplerOptions } from './types.js';

const invalid = (message: string) => new TokenglassError('INVALID_ARGUMENT', message);

/** A misspelt option is an error, not a silent default. */
export function checkNames(options: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`${what} has no option "${name}"; known: ${known.join(', ')}`);
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
  throw invalid(`seed is ${String(seed)}; it must be a whole number of 0 to 2^53 - 1 or a bigint of 64 bits`);
}

export const randomSeed = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0]! >> 11n;

const stageOptions = stages.flatMap(({ options }) => options);

/** The names of all sampler options. */
export const samplerOptionNames: readonly string[] = ['samplers', 'seed', ...stageOptions.map(({ name }) => name)];

export function sampleRequest(given: SamplerOptions, seed: bigint, top_n: number): SampleRequest {
  const options = stageOptions.map(({ name, default: usual, min, max }) => {
    const value = given[name] ?? usual;
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw new TokenglassError('SAMPLER_BAD_OPTION', `${name} is ${String(value)}; it must be ${min} to ${max}`);
    }
    return value;
  });
  const order = (given.samplers ?? stages.map(({ name }) => name)).map((name) => {
    const number = stages.findIndex((stage) => stage.name === name);
    if (number < 0) {
      const known = stages.map((stage) => stage.name).join(', ');
      throw new TokenglassError('SAMPLER_BAD_OPTION', `there is no sampler stage "${String(name)}"; known: ${known}`);
    }
    return number;
  });
  if (new Set(order).size !== order.length) throw new TokenglassError('SAMPLER_BAD_OPTION', 'a sampler stage stands twice');
  const bits = given.seed === undefined ? seed : checkSeed(given.seed);
  return { options, order, seed: [Number(bits & 0xffffffffn), Number(bits >> 32n)], top_n };
}

export function idsOf(ids: readonly number[]): Int32Array {
  for (const [i, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id > 0x7fffffff) {
      throw new TokenglassError('TOKEN_OUT_OF_RANGE', `token ${i} is ${String(id)}: no token id`);
    }
  }
  return Int32Array.from(ids);
}
