// Compares our token ids with those of other tokenizers. `npm run tokenizers` compares random texts
// and prints how many gave different ids, with the first of them. The exit code is 1 if FAULTS does
// not explain a difference. Arguments: names of vocabularies restrict the run; --count N texts of
// each vocabulary (default 20,000), --seed S, --write writes tests/measurements.md.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from '../../dist/node.js';
import { installPackages } from '../../wasm/toolchain/setup.mjs';
import { commandLine, writeSection } from '../support/measurements.mjs';
import { texts } from './texts.mjs';
import { vocabularies } from './vocabularies.mjs';

/** Installs the vocabularies and the other tokenizers, if they are not installed yet. */
export function prepare() {
  installPackages(fileURLToPath(new URL('.', import.meta.url)));
}

/** Known errors of the other tokenizers. */
export const FAULTS = [
  {
    reason:
      "JavaScript's \\s lacks U+0085 and has U+FEFF, other than White_Space, which the definitions mean",
    explains: ({ text }) => /[\u0085\ufeff]/.test(text),
  },
];

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The vocabulary's normal tokens as text, without tokens that are incomplete UTF-8. */
async function wordsOf(model, n) {
  const words = [];
  for (let id = 0; id < n; id++) {
    try {
      const text = decoder.decode(await model.tokenBytes(id));
      if (text) words.push(text);
    } catch {
      // not UTF-8 by itself: part of a character
    }
  }
  return words;
}

/**
 * Compares `count` texts. `explained` counts the differences that FAULTS explains.
 * @returns {Promise<{ n: number, explained: number,
 *   different: { kind, text, ours, theirs }[] }>}
 */
export async function compare(name, { count, seed = 1 }) {
  const vocabulary = await vocabularies[name]();
  const model = await loadModel(vocabulary.gguf, { worker: false, vocab_only: true });
  try {
    const words = await wordsOf(model, vocabulary.tokens.length);
    const different = [];
    let [n, explained] = [0, 0];
    for (const [kind, text] of texts({ words, added: vocabulary.added }, seed)) {
      if (n++ === count) break;
      const ours = await model.tokenize(text, {
        add_special: false,
        parse_special: vocabulary.added.length > 0,
      });
      const theirs = Array.from(vocabulary.encode(text), Number);
      if (ours.length === theirs.length && ours.every((id, i) => id === theirs[i])) continue;
      const difference = { kind, text, ours, theirs };
      if (FAULTS.some(({ explains }) => explains(difference))) explained++;
      else different.push(difference);
    }
    return { n: count, explained, different };
  } finally {
    await model.dispose();
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      count: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      write: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  prepare();
  let wrong = 0;
  const rows = [];
  for (const name of positionals.length ? positionals : Object.keys(vocabularies)) {
    const start = performance.now();
    const { n, explained, different } = await compare(name, {
      count: Number(values.count),
      seed: Number(values.seed),
    });
    console.log(
      `${name}: ${n - different.length - explained} of ${n} texts with the same ids, ${explained} the other's fault (${((performance.now() - start) / 1000).toFixed(0)} s)`,
    );
    rows.push(`| ${name} | ${n} | ${n - different.length - explained} | ${explained} |\n`);
    for (const { kind, text, ours, theirs } of different.slice(0, 8))
      console.log(
        `  ${kind}: ${JSON.stringify(text)}\n    ours   ${ours.join(' ')}\n    theirs ${theirs.join(' ')}`,
      );
    wrong += different.length;
  }
  if (values.write)
    writeSection(
      'tokenizers',
      commandLine('tokenizers'),
      `| vocabulary | texts | the same ids | the other's fault |\n|---|---:|---:|---:|\n${rows.join('')}`,
    );
  process.exitCode = wrong ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
