// Searches the page's first text: FIRST_TEXT and FIRST_SEED in demo/state/first-text.ts. It runs the
// built-in model from dist/ with the page's default settings, for every prompt of the list and many
// seeds, and prints the best texts that pass the rule. A person then reads them and chooses.
//
//   node demo/model/choose-first-text.mjs [--seeds 2000] [--best 20]
//
// The rule has two parts. demo/README.md states it in words.
//   1. The first choice is worth looking at: the uncertainty is in FIRST.bits, at least
//      FIRST.survivors tokens pass the sampler, and the drawn token is not the most probable one.
//   2. The text that follows reads like a paragraph. No program can judge that, so the rule has
//      stand-ins: `faultOf` names the first one that a text fails.
// Texts that pass are sorted by their mean surprise: what the model itself finds likely is more
// often sense than nonsense.
import { parseArgs } from 'node:util';
import { loadModel } from '../../dist/node.js';

/** Beginnings, each with the pronoun of the person that it is about. */
const PROMPTS = [
  ['Once upon a time there was a little girl who', 'she'],
  ['Once upon a time there was a princess who', 'she'],
  ['Once upon a time there was a king who', 'he'],
  ['Once upon a time there was a fox who', 'he'],
  ['Once upon a time there was a poor boy who', 'he'],
  ['Once upon a time there lived an old woman who', 'she'],
  ['Long ago there lived a poor fisherman who', 'he'],
  ['There was once a giant who', 'he'],
  ['There was once a prince who', 'he'],
  ['One day a hungry wolf', 'he'],
  ['One day a little mouse', 'he'],
  ['One morning the little bird', 'it'],
  ['One night the princess', 'she'],
  ['One evening the king', 'he'],
  ['The old man opened the door and', 'he'],
  ['The princess opened the door and', 'she'],
  ['The children ran down to the river and', 'they'],
  ['The wind blew all night, and in the morning', 'it'],
  ['The fox looked up at the moon and', 'he'],
  ['The giant sat down under a tree and', 'he'],
];
const N_TOKENS = 80; // generated for each prompt and seed; the paragraph ends inside them
const MIN_TOKENS = 40; // tokens of the paragraph
const FIRST = { bits: [3, 6], survivors: 5, p: 0.45 };
const MEAN_BITS = [2, 3.6]; // mean surprise: below, texts repeat themselves; above, they wander
const DISTINCT = 0.7; // share of the words that are different words

const wordsOf = (text) => text.toLowerCase().match(/[a-z]+(?:['’-][a-z]+)*/g) ?? [];

/** The text up to the last sentence end of its first paragraph, and the number of tokens in it. */
function paragraphOf(steps) {
  let text = '';
  let end = { text: '', n: 0 };
  for (const [i, step] of steps.entries()) {
    text += step.text;
    if (/\n/.test(text.trimEnd())) break;
    if (/[.!?]["'”’]?\s*$/.test(text)) end = { text: text.trimEnd(), n: i + 1 };
  }
  return end;
}

/** Whether a sequence of n words occurs twice. */
function repeats(words, n) {
  const seen = new Set();
  for (let i = 0; i + n <= words.length; i++) {
    const key = words.slice(i, i + n).join(' ');
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}

/** Words that a small model uses without number: they say nothing about repetition. */
const COMMON = new Set(
  (
    'a an and are as at be been but by for from had has have he her him his i if in into is it ' +
    'its me my not of on one out said she so that the their them then there they this to up was ' +
    'we went were what when who will with would you your very all could did do came who'
  ).split(' '),
);
/** Words that do not fit a text about a person with this pronoun. */
const FOREIGN = {
  he: 'she her hers herself girl woman queen princess lady they their them',
  she: 'he him his himself boy man king prince they their them',
  they: 'i my me',
  it: 'he him his she her i my me',
};
const EMPTY = new Set(['very', 'so', 'happy', 'sad', 'good', 'thing', 'things']);

/** The first stand-in for sense that a text fails; undefined when it passes all. text: the prompt
 *  and the paragraph. steps: those of the paragraph. pronoun: of the person that it is about. */
function faultOf(text, steps, pronoun) {
  const words = wordsOf(text);
  if (steps.length < MIN_TOKENS) return 'short';
  if (/[^A-Za-z\s.,!?;:'"’“”-]/.test(text)) return 'odd character';
  if ((text.match(/["“”]/g) ?? []).length % 2) return 'quotes not balanced';
  if (/(?<![A-Za-z])'|'(?![A-Za-z])/.test(text)) return 'single quotes';
  if (/\b(\w+),? \1\b/i.test(text)) return 'doubled word';
  if (repeats(words, 4)) return 'repeated 4-gram';
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  if ([...counts].some(([word, n]) => n > 3 && !COMMON.has(word))) return 'repeated word';
  const sentences = text.split(/(?<=[.!?]["”]?)\s+/).map((sentence) => wordsOf(sentence).length);
  if (sentences.length < 3) return 'fewer than three sentences';
  if (sentences.some((n) => n < 3 || n > 26)) return 'sentence length';
  if (new Set(words).size < DISTINCT * words.length) return 'few different words';
  if (words.filter((word) => EMPTY.has(word)).length > 1) return 'empty words';
  const foreign = new Set(FOREIGN[pronoun].split(' '));
  if (words.some((word) => foreign.has(word))) return 'loses its person';
  // a word of many pieces is nearly always made up
  let pieces = 0;
  for (const step of steps) {
    pieces = /^[A-Za-z]/.test(step.text) ? pieces + 1 : 1;
    if (pieces > 2) return 'word of more than two tokens';
  }
  const bits = meanBits(steps);
  if (bits < MEAN_BITS[0] || bits > MEAN_BITS[1])
    return `mean surprise too ${bits < MEAN_BITS[0] ? 'low' : 'high'}`;
  return undefined;
}

const meanBits = (steps) =>
  steps.reduce((sum, { logprob }) => sum - logprob / Math.LN2, 0) / steps.length;

/** What the first choice of a session is like; undefined when it is not worth looking at. */
async function firstChoice(session, seed) {
  const { candidates, draw, entropy } = await session.candidates({ seed, top_n: 100 });
  const bits = entropy / Math.LN2;
  const kept = candidates.filter(({ removed_by }) => removed_by === undefined);
  const drawn = kept.find(({ token }) => token === draw.token);
  const isGood =
    bits >= FIRST.bits[0] &&
    bits <= FIRST.bits[1] &&
    kept.length >= FIRST.survivors &&
    drawn !== kept[0] &&
    drawn.p_final <= FIRST.p;
  return isGood ? { bits, survivors: kept.length, drawn, best: kept[0] } : undefined;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    best: { type: 'string', default: '20' },
    kernels: { type: 'string' },
  },
});
const model = await loadModel('storybook', {
  worker: false,
  ...(values.kernels && { kernels: values.kernels }),
});
const found = [];
const faults = {};
for (const [prompt, pronoun] of PROMPTS) {
  const session = model.createSession();
  const ids = await model.tokenize(prompt);
  for (let seed = 0; seed <= Number(values.seeds); seed++) {
    await session.sync(ids);
    const first = await firstChoice(session, seed);
    if (!first) continue;
    const steps = [];
    const options = { seed, max_tokens: N_TOKENS, trace: false };
    for await (const step of session.generate(undefined, options)) steps.push(step);
    const { text, n } = paragraphOf(steps);
    const made = steps.slice(0, n);
    const fault = faultOf(prompt + text, made, pronoun);
    faults[fault ?? 'none'] = (faults[fault ?? 'none'] ?? 0) + 1;
    if (!fault) found.push({ prompt, seed, text, n, first, bits: meanBits(made) });
  }
  await session.dispose();
}
found.sort((a, b) => a.bits - b.bits);
console.log(`${found.length} texts pass; the others: ${JSON.stringify(faults)}`);
for (const { prompt, seed, text, n, first, bits } of found.slice(0, Number(values.best))) {
  const { drawn, best, survivors } = first;
  console.log(
    `\nseed ${seed}, ${n} tokens, mean surprise ${bits.toFixed(2)} bits\n` +
      `first choice: uncertainty ${first.bits.toFixed(1)} bits, ${survivors} survivors, ` +
      `drawn ${JSON.stringify(drawn.text)} (${(100 * drawn.p_final).toFixed(0)} %), ` +
      `most probable ${JSON.stringify(best.text)} (${(100 * best.p_final).toFixed(0)} %)\n` +
      `${prompt}|${text}`,
  );
}
await model.dispose();
