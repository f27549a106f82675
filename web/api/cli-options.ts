/** The arguments of the command line. */
import { parseArgs } from 'node:util';
import { stages } from '../types/generated-stages.js';
import { suggestion } from '../types/names.js';
import type { SamplerOptions } from '../types/types.js';

const numbers = stages.flatMap(({ options }) => options.map(({ name }) => name));
const flagOf = (name: string) => name.replaceAll('_', '-');

export const USAGE = `tokenglass [options] "Once upon a time"

  --model FILE       a GGUF file or URL (default: the built-in model)
  --max-tokens N     tokens to generate (default: until the model ends or its context is full, at most 256)
  --top N            show the N most probable candidates of each step
  --json             print the trace of each step (or the scores, or the header) as JSON, one a line
  --score FILE       score a text (- reads standard input) instead of continuing a prompt
  --info FILE        print the keys, tensors, weight types and memory plan of a GGUF file
  --copy-files DIR   copy the files that a page loads at run time into a folder: worker.js, the wasm
                     files, the built-in model, their notices; say what to write as base_url
  --builds LIST      with --copy-files: only these builds, for example simd128,relaxed.threads
  --no-model         with --copy-files: without the built-in model
  --chat             talk: one line a turn; an empty line or the end of input ends the talk
  --seed N           (default: chosen and printed)
  --samplers LIST    the order of the stages, separated by commas
  --timeout-ms N     how long a server may give no byte (default: 30000)
  --n-ctx N, --threads N, --ignore-eos, --shift, --version, --help
  and every option of the sampler: ${numbers.map((name) => `--${flagOf(name)}`).join(' ')}`;

/** A failure whose message says everything: exit code 1. */
export class CommandError extends Error {}

/** A mistake in the arguments: exit code 2. */
export class UsageError extends CommandError {}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const OPTIONS = {
  model: text,
  'max-tokens': text,
  top: text,
  score: text,
  info: text,
  'copy-files': text,
  builds: text,
  seed: text,
  samplers: text,
  'n-ctx': text,
  threads: text,
  'timeout-ms': text,
  json: flag,
  'no-model': flag,
  chat: flag,
  'ignore-eos': flag,
  shift: flag,
  version: flag,
  help: { ...flag, short: 'h' },
} as const;
const SAMPLER_OPTIONS = Object.fromEntries(numbers.map((name) => [flagOf(name), text]));

const ALL_OPTIONS = { ...SAMPLER_OPTIONS, ...OPTIONS };

/** Throws for the first option that is not known. */
function checkNames(): void {
  const names = Object.keys(ALL_OPTIONS);
  const { tokens } = parseArgs({ options: ALL_OPTIONS, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option' || names.includes(token.name)) continue;
    const known = token.rawName.startsWith('--') ? suggestion(token.name, names, '--') : '';
    throw new UsageError(`there is no option ${token.rawName}${known}`);
  }
}

function parse() {
  checkNames();
  try {
    return parseArgs({ allowPositionals: true, options: ALL_OPTIONS });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export type Arguments = ReturnType<typeof parse>['values'] &
  Record<string, string | boolean | undefined>;

export interface CommandLine {
  values: Arguments;
  prompt: string | undefined;
}

export function wholeNumber(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new UsageError(`--${name} ${value}: a whole number is needed`);
  return Number(value);
}

export function samplerOptions(values: Arguments): Omit<SamplerOptions, 'grammar'> {
  const options: Omit<SamplerOptions, 'grammar'> = {};
  for (const name of numbers) {
    const value = values[flagOf(name)];
    if (value === undefined) continue;
    const number = value === '' ? NaN : Number(value);
    if (Number.isNaN(number))
      throw new UsageError(`--${flagOf(name)} ${String(value)}: a number is needed`);
    options[name] = number;
  }
  if (values.samplers !== undefined)
    options.samplers = values.samplers.split(',') as NonNullable<SamplerOptions['samplers']>;
  return options;
}

export function seedOf({ seed }: Arguments): bigint {
  if (seed === undefined) return BigInt(Math.floor(Math.random() * 2 ** 32));
  wholeNumber(seed, 'seed'); // throws; a bigint keeps all digits
  return BigInt(seed);
}

/** The checked arguments. */
export function readArguments(): CommandLine {
  const { values, positionals } = parse();
  const [prompt, ...others] = positionals;
  if (others.length > 0) throw new UsageError('more than one prompt: put it in quotes');
  const copies = values['copy-files'] !== undefined;
  if (copies && prompt !== undefined) throw new UsageError('--copy-files takes no prompt');
  if (!copies && (values.builds !== undefined || values['no-model']))
    throw new UsageError('--builds and --no-model need --copy-files');
  return { values: values as Arguments, prompt };
}
