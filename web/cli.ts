#!/usr/bin/env node
/** The command line: in, arguments (see USAGE) and, for a chat, lines; out, the text as it comes, choices in columns, traces as JSON, or the scores of a text. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { candidateLines, paint, scoreLines, visible } from './api/cli-text.js';
import { TokenglassError } from './types/errors.js';
import { loadModel, stages } from './node.js';
import type { ChatMessage, Model, SamplerOptions } from './node.js';
import { stepFile } from './api/trace.js';

const numbers = stages.flatMap(({ options }) => options.map(({ name }) => name));
const flag = (name: string) => name.replaceAll('_', '-');

const USAGE = `tokenglass [options] "Once upon a time"

  --model FILE       a GGUF file or URL (default: the built-in model)
  --max-tokens N     tokens to make (default: until the model ends or its context is full, at most 256)
  --top N            show the N most probable candidates of each step
  --json             print the trace of each step as one line of JSON
  --score FILE       score a text (- reads standard input) instead of going on with it
  --chat             talk: one line a turn; an empty line or the end of input ends it
  --seed N           (default: chosen and printed)
  --samplers LIST    the order of the stages, separated by commas
  --n-ctx N, --threads N, --ignore-eos, --shift, --version, --help
  and every option of the sampler: ${numbers.map((name) => `--${flag(name)}`).join(' ')}`;

class UsageError extends Error {}

function wholeOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`--${name} ${text}: a whole number is needed`);
  return Number(text);
}

function readArguments() {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{
          model: text,
          'max-tokens': text,
          top: text,
          score: text,
          seed: text,
          samplers: text,
          'n-ctx': text,
          threads: text,
        },
        ...{
          json: yes,
          chat: yes,
          'ignore-eos': yes,
          shift: yes,
          version: yes,
          help: { ...yes, short: 'h' },
        },
        ...(Object.fromEntries(numbers.map((name) => [flag(name), text])) as Record<
          string,
          typeof text
        >),
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Arguments = ReturnType<typeof readArguments>['values'] &
  Record<string, string | boolean | undefined>;

function samplerOptions(values: Arguments): Omit<SamplerOptions, 'grammar'> {
  const options: Omit<SamplerOptions, 'grammar'> = {};
  for (const name of numbers) {
    const given = values[flag(name)];
    if (given === undefined) continue;
    const number = given === '' ? NaN : Number(given);
    if (Number.isNaN(number))
      throw new UsageError(`--${flag(name)} ${String(given)}: a number is needed`);
    options[name] = number;
  }
  if (values.samplers !== undefined)
    options.samplers = values.samplers.split(',') as NonNullable<SamplerOptions['samplers']>;
  return options;
}

const DEFAULT_TOKENS = 256;
const out = (text: string) => process.stdout.write(text);

async function generate(
  model: Model,
  prompt: string,
  values: Arguments,
  seed: bigint,
): Promise<void> {
  const top_n = wholeOf(values.top, 'top');
  const session = model.createSession({ seed });
  const color = paint(process.stdout);
  const most = wholeOf(values['max-tokens'], 'max-tokens');
  const traced = values.json || top_n !== undefined;
  const options = {
    ...samplerOptions(values),
    ...(most !== undefined && { max_tokens: most }),
    ignore_eos: values['ignore-eos'],
    ...(values.shift && { overflow: 'shift' as const }),
    trace: traced ? { top_n: top_n ?? 50 } : (false as const),
  };
  let made = 0;
  let begun = traced;
  const begin = () => {
    if (!begun) out(color.faint(visible(prompt)));
    begun = true;
  };
  for await (const step of session.generate(prompt, options)) {
    begin(); // not before: what is refused prints nothing
    if (values.json) out(`${JSON.stringify(stepFile(step))}\n`);
    else if (step.trace)
      out(candidateLines(step, step.trace, await model.tokenText(step.token), color));
    else out(visible(step.text));
    if (most === undefined && ++made === DEFAULT_TOKENS) break;
  }
  begin();
  if (!traced) out('\n');
}

async function score(model: Model, file: string, values: Arguments): Promise<void> {
  const chunks: Buffer[] = [];
  if (file === '-') for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const text = file === '-' ? Buffer.concat(chunks).toString() : await readFile(file, 'utf8');
  const scores = await model.score(text, { top_n: wholeOf(values.top, 'top') ?? 0 });
  if (values.json)
    for (const { bytes, ...rest } of scores)
      out(`${JSON.stringify({ ...rest, bytes: [...bytes] })}\n`);
  else out(scoreLines(scores, paint(process.stdout)));
}

async function chat(
  model: Model,
  first: string | undefined,
  values: Arguments,
  seed: bigint,
): Promise<void> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const messages: ChatMessage[] = [];
  const max_tokens = wholeOf(values['max-tokens'], 'max-tokens') ?? DEFAULT_TOKENS;
  const turn = async (content: string) => {
    messages.push({ role: 'user', content });
    let said = '';
    const parts = await model.createChatCompletion({
      ...samplerOptions(values),
      messages,
      seed,
      max_tokens,
      stream: true,
    });
    for await (const { choices } of parts) {
      const text = choices[0]?.delta.content ?? '';
      said += text;
      out(visible(text));
    }
    out('\n');
    messages.push({ role: 'assistant', content: said });
  };
  const ask = () => void (process.stdin.isTTY && out('> '));
  if (first !== undefined) await turn(first);
  ask();
  for await (const line of lines) {
    if (line === '') break;
    await turn(line);
    ask();
  }
  lines.close();
}

async function main(): Promise<void> {
  const { values: given, positionals } = readArguments();
  const values = given as Arguments;
  if (values.help) return void out(`${USAGE}\n`);
  if (values.version) {
    const { version } = JSON.parse(
      await readFile(new URL('../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    return void out(`${version}\n`);
  }
  if (positionals.length > 1) throw new UsageError('more than one prompt: put it in quotes');
  const [prompt] = positionals;
  if (prompt === undefined && values.score === undefined && !values.chat)
    throw new UsageError('there is no prompt');
  if (values.seed !== undefined && !/^\d+$/.test(values.seed))
    throw new UsageError(`--seed ${values.seed}: a whole number is needed`);
  const seed =
    values.seed === undefined ? BigInt(Math.floor(Math.random() * 2 ** 32)) : BigInt(values.seed);
  samplerOptions(values); // before the model is read
  const [n_ctx, n_threads] = [
    wholeOf(values['n-ctx'], 'n-ctx'),
    wholeOf(values.threads, 'threads'),
  ];
  const model = await loadModel(values.model ?? 'storybook', {
    ...(n_ctx !== undefined && { n_ctx }),
    ...(n_threads !== undefined && { n_threads }),
  });
  try {
    if (values.score !== undefined) await score(model, values.score, values);
    else if (values.chat) await chat(model, prompt, values, seed);
    else await generate(model, prompt!, values, seed);
    if (values.seed === undefined && values.score === undefined && process.stderr.isTTY)
      process.stderr.write(`seed ${seed}\n`);
  } finally {
    await model.dispose();
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : 1),
); // whoever reads has enough
main().catch((error: unknown) => {
  const usage = error instanceof UsageError;
  const text = error instanceof TokenglassError || usage ? (error as Error).message : String(error);
  process.stderr.write(`tokenglass: ${visible(text)}${usage ? '; --help tells more' : ''}\n`);
  process.exitCode = usage ? 2 : 1;
});
