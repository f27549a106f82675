// Measures the tokenizers' speed and memory in this process: `node tokenizers.mjs`. Prints a line
// of JSON for each vocabulary and text: { vocabulary, text, mb_s, bytes_a_byte, tokens }. mb_s:
// megabytes a second. bytes_a_byte: additional memory of the engine, including the ids, in bytes
// for each byte of text.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { prepare } from '../tokenizers/compare.mjs';
import { vocabularies } from '../tokenizers/vocabularies.mjs';

const MEGABYTE = 1e6;

/** 10 MB of prose and code: this project's own files, repeated. */
function longText() {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const files = ['src', 'web', 'demo'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true })
      .filter((name) => /\.(c|h|ts|md|css)$/.test(name))
      .sort()
      .map((name) => `${root}${folder}/${name}`),
  );
  const once = ['README.md', 'CHANGELOG.md']
    .map((name) => root + name)
    .concat(files)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  return once.repeat(Math.ceil((10 * MEGABYTE) / once.length)).slice(0, 10 * MEGABYTE);
}

const repeated = (what) => what.repeat(Math.floor(MEGABYTE / Buffer.byteLength(what)));
const TEXTS = {
  'prose and code, 10 MB': longText,
  'one letter': () => repeated('a'),
  spaces: () => repeated(' '),
  newlines: () => repeated('\n'),
  'combining marks': () => repeated('\u0301'),
  emoji: () => repeated('😀'),
  digits: () => repeated('1'),
  'letters without a space': () => repeated('thequickbrownfoxjumpsoverthelazydog'),
};

prepare();
for (const vocabulary of ['Llama 2', 'Gemma 3', 'GPT-2', 'Llama 3', 'GPT-OSS', 'DeepSeek V3']) {
  const { gguf } = await vocabularies[vocabulary]();
  for (const [text, make] of Object.entries(TEXTS)) {
    // a new model for each text, since memory that has grown never shrinks
    const model = await loadModel(gguf, { worker: false, vocab_only: true });
    await model.tokenize('Words that warm up the compiler, 123. '.repeat(20_000));
    const input = make();
    const bytes = Buffer.byteLength(input);
    const before = (await model.stats()).memory.total;
    const start = performance.now();
    const ids = await model.tokenize(input, { add_special: false });
    const ms = performance.now() - start;
    const grown = (await model.stats()).memory.peak - before;
    console.log(
      JSON.stringify({
        vocabulary,
        text,
        mb_s: bytes / 1000 / ms,
        bytes_a_byte: grown / bytes,
        tokens: ids.length,
      }),
    );
    await model.dispose();
  }
}
