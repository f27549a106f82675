#!/usr/bin/env node
/** The command line. cli-options.ts says what it accepts; cli-text.ts formats what it prints. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { copyFiles } from './api/cli-copy.js';
import { headerOf, infoJson, infoText } from './api/cli-info.js';
import {
  CommandError,
  USAGE,
  UsageError,
  readArguments,
  samplerOptions,
  seedOf,
  wholeNumber,
} from './api/cli-options.js';
import type { Arguments } from './api/cli-options.js';
import { candidateLines, paint, scoreLines, visible } from './api/cli-text.js';
import { stepFile } from './api/trace.js';
import { builds } from './builds/all.js';
import { loadModel } from './index.js';
import type { ChatMessage, GenerateOptions, Model } from './index.js';
import { TokenglassError } from './types/errors.js';

const DEFAULT_MAX_TOKENS = 256;

const print = (text: string) => process.stdout.write(text);

async function generate(
  model: Model,
  prompt: string,
  values: Arguments,
  seed: bigint,
): Promise<void> {
  const top_n = wholeNumber(values.top, 'top');
  const max_tokens = wholeNumber(values['max-tokens'], 'max-tokens');
  const traced = values.json || top_n !== undefined;
  const session = model.createSession({ seed });
  const color = paint(process.stdout);
  const options: GenerateOptions = {
    ...samplerOptions(values),
    ignore_eos: values['ignore-eos'],
    overflow: values.shift ? 'shift' : 'error',
    trace: traced ? { top_n: top_n ?? 50 } : false,
  };
  if (max_tokens !== undefined) options.max_tokens = max_tokens;
  const texts = traced && !values.json ? await model.tokenTexts() : [];
  let count = 0;
  // the first step shows that the prompt was accepted: a refused one prints nothing
  const printPrompt = () => void (traced || print(color.faint(visible(prompt))));
  for await (const step of session.generate(prompt, options)) {
    if (count === 0) printPrompt();
    if (values.json) print(`${JSON.stringify(stepFile(step))}\n`);
    else if (step.trace) print(candidateLines(step, step.trace, texts[step.token]!, color));
    else print(visible(step.text));
    count++;
    if (max_tokens === undefined && count === DEFAULT_MAX_TOKENS) break;
  }
  if (count === 0) printPrompt();
  if (!traced) print('\n');
}

async function readText(file: string): Promise<string> {
  if (file !== '-') return readFile(file, 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function score(model: Model, file: string, values: Arguments): Promise<void> {
  const top_n = wholeNumber(values.top, 'top') ?? 0;
  const scores = await model.score(await readText(file), { top_n });
  if (!values.json) return void print(scoreLines(scores, paint(process.stdout)));
  for (const { bytes, ...rest } of scores)
    print(`${JSON.stringify({ ...rest, bytes: [...bytes] })}\n`);
}

async function info(file: string, values: Arguments): Promise<void> {
  const n_ctx = wholeNumber(values['n-ctx'], 'n-ctx');
  const timeout_ms = wholeNumber(values['timeout-ms'], 'timeout-ms');
  const header = await headerOf(file, builds, n_ctx, timeout_ms);
  print(values.json ? `${infoJson(header)}\n` : infoText(header, paint(process.stdout)));
}

async function chat(
  model: Model,
  firstMessage: string | undefined,
  values: Arguments,
  seed: bigint,
): Promise<void> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const messages: ChatMessage[] = [];
  const max_tokens = wholeNumber(values['max-tokens'], 'max-tokens') ?? DEFAULT_MAX_TOKENS;
  const options = { ...samplerOptions(values), seed, max_tokens };
  const answer = async (content: string) => {
    messages.push({ role: 'user', content });
    let reply = '';
    const chunks = await model.createChatCompletion({ ...options, messages, stream: true });
    for await (const { choices } of chunks) {
      const text = choices[0]?.delta.content ?? '';
      reply += text;
      print(visible(text));
    }
    print('\n');
    messages.push({ role: 'assistant', content: reply });
  };
  const showPrompt = () => void (process.stdin.isTTY && print('> '));
  if (firstMessage !== undefined) await answer(firstMessage);
  showPrompt();
  for await (const line of lines) {
    if (line === '') break;
    await answer(line);
    showPrompt();
  }
  lines.close();
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

/** Loads the model and runs the command that the arguments ask for. */
async function run(values: Arguments, prompt: string | undefined): Promise<void> {
  const seed = seedOf(values);
  samplerOptions(values); // reports a mistake before the model is read
  const n_ctx = wholeNumber(values['n-ctx'], 'n-ctx');
  const n_threads = wholeNumber(values.threads, 'threads');
  const timeout_ms = wholeNumber(values['timeout-ms'], 'timeout-ms');
  const model = await loadModel(values.model ?? 'storybook', {
    ...(n_ctx !== undefined && { n_ctx }),
    ...(n_threads !== undefined && { n_threads }),
    ...(timeout_ms !== undefined && { timeout_ms }),
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

async function main(): Promise<void> {
  const { values, prompt } = readArguments();
  if (values.help) return void print(`${USAGE}\n`);
  if (values.version) return void print(`${await version()}\n`);
  if (values.info !== undefined) return info(values.info, values);
  const folder = values['copy-files'];
  if (folder !== undefined) {
    const { builds, 'no-model': withoutModel } = values;
    return void print(await copyFiles({ folder, builds, model: !withoutModel }));
  }
  if (prompt === undefined && values.score === undefined && !values.chat)
    throw new UsageError('there is no prompt');
  await run(values, prompt);
}

// the reader of a pipe may end before the output does: `tokenglass … | head`
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : 1),
);
main().catch((error: unknown) => {
  const usage = error instanceof UsageError;
  const ours = error instanceof TokenglassError || error instanceof CommandError;
  const text = ours ? error.message : String(error);
  process.stderr.write(`tokenglass: ${visible(text)}${usage ? '; see --help' : ''}\n`);
  process.exitCode = usage ? 2 : 1;
});
