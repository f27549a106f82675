// Random texts of the kinds in llama.cpp's random test of tokenizers. Takes a vocabulary and a seed
// and yields [kind, text] without end; the same seed gives the same texts.
import { generator } from '../support/gguf-writer.mjs';

const CUSTOM = [
  ...[
    '',
    ' ',
    '  ',
    '   ',
    '\t',
    '\n',
    '\n\n',
    '\n\n\n',
    '\t\n',
    'Hello world',
    ' Hello world',
    'Hello World',
    ' Hello World!',
    'Hello, world!',
  ],
  ...[
    ' this is 🦙.cpp',
    'w048 7tuijk dsdfhu',
    'нещо на Български',
    'កាន់តែពិសេសអាចខលចេញ',
    '🚀 (normal) 😶‍🌫️ (multiple emojis) ✅',
  ],
  ...[
    'Hello',
    ' Hello',
    '  Hello',
    '    Hello\n    Hello',
    ' (',
    '\n =',
    "' era",
    "Hello, y'all! How are you 😁 ?我想在apple工作1314151天～",
    '!!!!!!',
  ],
  ...[
    '3',
    '33',
    '333',
    '3333',
    '33333333',
    'Cửa Việt',
    ' discards',
    '\u0000',
    "I've I'VE we'll WE'LL don't'S 're 'm",
    '1 2 12 123 1234',
    '﹏﹏',
  ],
  ...[
    '                   ls',
    '\n \n\n \n\n\n \t \t\t',
    '------======- нещо',
    'ⅷ ² ½ ٣ ৪',
    '️⃣',
    '\u3000\u00a0\u2003x',
    'CamelCaseWORDSandMore ÀÉÎ ǅ',
    '中文English混合',
    'ﬁ ﬂ',
  ],
  ...[
    'a\r\nb\r\n\r\nc',
    'x\u0301\u0327y',
    ' \u0301',
    '//comment /* x */',
    'http://a.b/c?d=e&f#g',
    '<|im_start|>user',
    '</s>',
    '<unk>',
    '<0x41>',
    '▁',
    ' ▁ ',
    'Ġ',
  ],
];
const APOSTROPHES = [
  "'s",
  "'S",
  "'t",
  "'T",
  "'re",
  "'RE",
  "'ve",
  "'m",
  "'LL",
  "'ll",
  "'d",
  "'D",
  "''",
  "'x",
  "'é",
];
const WHITE = [' ', '  ', '\n', '\r\n', '\n\n', '\t', '\u00a0', '\u2028', '\u3000', '\u0085', '\r'];
const ASCII = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));

export function* texts(vocabulary, seed = 1) {
  const random = generator(seed);
  const below = (n) => Math.floor(random() * n);
  const one = (list) => list[below(list.length)];
  const many = (n, make) => Array.from({ length: n }, make).join('');
  const code = () => {
    for (;;) {
      const c = below(4) ? below(0x10000) : below(0x110000);
      if (c < 0xd800 || c >= 0xe000) return c;
    }
  };
  const characters = [...new Set(vocabulary.words.slice(0, 20000).join(''))];
  const blanks = ['', ' ', '  ', '\n', '\t '];
  const kinds = {
    'custom text': () => one(CUSTOM) + (below(2) ? one(CUSTOM) : ''),
    'vocabulary words': () => one(vocabulary.words),
    'ASCII between spaces': () => one(blanks) + one(ASCII) + one(ASCII) + one(blanks),
    apostrophes: () =>
      one(['', 'a', ' ', 'Ä', '1', 'WE']) + one(APOSTROPHES) + one(['', 'a', ' b', "'", '1', 'É']),
    'added tokens': () =>
      many(
        1 + below(4),
        () =>
          one(blanks) +
          one(vocabulary.added.length ? vocabulary.added : ['x']) +
          one(blanks) +
          one(vocabulary.words),
      ),
    'random characters': () => many(1 + below(40), () => one(below(4) ? ASCII : WHITE)),
    'code points': () => many(1 + below(24), () => String.fromCodePoint(code())),
    'characters of the vocabulary': () => many(1 + below(40), () => one(characters)),
    'words of the vocabulary': () =>
      many(1 + below(16), () => one(vocabulary.words) + one(below(3) ? [''] : blanks)),
  };
  for (const [i, text] of CUSTOM.entries()) yield [`custom text ${i}`, text];
  for (;;) for (const [kind, make] of Object.entries(kinds)) yield [kind, make()];
}
