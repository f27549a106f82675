// The words of the page: each idea has one wording, and words that nobody understood do not come
// back. The tests read the strings of the built page, and its documents.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { before, test } from 'node:test';
import { inTree } from '../support/support.mjs';

/** What the page says, by topic. */
const SAYS = {
  introduction: [
    'A language model continues this text one token at a time. Press ',
    'These are all the tokens it could pick, each with its probability.',
    'Click any token to continue with it instead.',
    'The sampler works on these probabilities before a token is picked. Move a slider and see which tokens are cut, and why.',
    'Tap any token to continue with it instead.',
    'Tap a chip below to move its slider, and see which tokens are cut, and why.',
    'Every branch you try is kept here.',
    'Show the introduction again',
  ],
  buttons: ['Next token', 'Run', 'Pause', 'Check reproducibility', 'New seed', 'Your text'],
  text: [
    'click any token to see what else could have stood there',
    'tap any token to see what else could have stood there',
    'expected (over 50 %)',
    'very surprising (under 0.1 %)',
    'beyond 1000',
    'Output format',
    'free text',
    'JSON with a schema',
    'The text so far is not valid JSON, so the format is not enforced.',
    'tokens and they are used up.',
    'Continue with a sliding window',
    'The model ended the text (end token).',
    'start of the text',
    'chosen by you',
    'from the link',
    'System prompt (not every model supports one)',
  ],
  ledger: [
    'What comes next?',
    'What could have been token ',
    'equal choices',
    'Shown with the current settings.',
    'Back to the end of the text',
    'Find any token',
    'No token contains',
    'Model says',
    '◀ next',
    '◀ used here',
    'would be drawn',
    'Final: what the token is drawn from',
    'Model: probabilities from the scores (softmax)',
    'the only tokens the format allows here',
    'Only one token is left',
    'Temperature 0: only the most probable token stays (greedy).',
    'free length',
    'look back',
    'sigmas',
  ],
  draw: ['The draw', 'expected', 'got'],
  rail: [
    'Surprise along the text',
    'how surprising each token was',
    'how uncertain the model was',
    'the bold one is on screen',
    'Delete the other branches',
    'since your text',
    'Tap a chip below to move its slider: the model does not run again.',
  ],
  sheets: [
    'How text becomes tokens',
    'Recognise special tokens such as',
    'Add start and end tokens',
    'Compare with another tokenizer…',
    'Remove the second one',
    'A: your current settings. B: change anything.',
    'Difference of the models',
    'Difference after sampling',
    'Suggested models',
    'Download',
    'This is not a model address. Use https://… or owner/repo/file.gguf.',
    'If a model cannot run here, you are told why before it is downloaded.',
    'Anyone who opens it with the same model sees the same text and can replay it.',
    'Download trace (JSON)',
    'Open a trace…',
    'This is not a tokenglass trace (it has no',
    'This link is damaged: part of it is missing.',
    'Tap a word of the table to continue with it, and the rest of its row for the reason.',
    'Options with their default values are left out.',
    'Use single-letter shortcuts',
  ],
};

/** Words of before. */
const FORMER = [
  /goes on with this text/,
  /could have drawn/,
  /stand the sampler/,
  /Nothing is lost/,
  /\bReplay\b/,
  /text to be scored/,
  /\bLocked\b/,
  /the text must be/,
  /is not of this form/,
  /settings as they are now/,
  /Back to the next choice/,
  /no token of the vocabulary/,
  /second bars/i,
  /everything else/,
  /\"as a (table|list)\"/,
  /the coin (u|fell)\b/,
  /Step takes/,
  /From logits to the draw/,
  /over the whole vocabulary/,
  /logit(s)? that would carry/,
  /\bdeviations\b(?! (of|below|from))/,
  /the greatest alone/,
  /joint probability/,
  /the shown path/,
  /How a text is cut/,
  /Another vocabulary/,
  /This one alone/,
  /They (cut|part)\b/,
  /\bSmall ones\b/,
  /is no address of a model/,
  /Who opens it/,
  /cannot be taken/,
  /changed on its way/,
  /further token fits/,
  /has ended its text/,
  /single keys work/,
  /first tour/,
  /some templates refuse them/,
  /nothing stands before/,
  /chosen by hand/,
  /can be talked to/,
  /text in colours/i,
  /Waterfall/i,
  /\b(after|by|cut|kept|of|with) (top_k|top_p|min_p|typ_p|top_n_sigma)\b/, // min-p, not min_p
];

let page, documents;
before(() => {
  const folder = inTree('dist/demo');
  const isOwn = (file) => /^(main|browser-.*)\.js$/.test(file) || file === 'index.html';
  page = readdirSync(folder)
    .filter(isOwn)
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
    // the compiler writes some characters as escapes
    .map((code) =>
      code.replace(/\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})/g, (_, long, short) =>
        String.fromCharCode(Number.parseInt(long ?? short, 16)),
      ),
    )
    .join('\n');
  documents = ['README.md', 'demo/README.md'].map((file) => readFileSync(inTree(file), 'utf8'));
});

for (const [topic, sentences] of Object.entries(SAYS))
  test(`the page says: ${topic}`, () => {
    for (const sentence of sentences) assert.ok(page.includes(sentence), sentence);
  });

test('words of before are gone from the page and its documents', () => {
  for (const words of FORMER)
    for (const text of [page, ...documents]) {
      const found = words.exec(text);
      const around = found && text.slice(Math.max(0, found.index - 60), found.index + 60);
      assert.ok(!found, `${words}: ${around}`);
    }
});
