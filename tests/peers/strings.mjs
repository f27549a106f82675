// Sample strings for tokenizers.

/** Strings that tokenizers easily get wrong; all are used as they are. */
const CASES = [
  ' ',
  '  ',
  '        ',
  '\n',
  '\n\n\n',
  '\t',
  ' \n \t ',
  'a',
  ' a',
  'a ',
  'Hello world',
  ' Hello  world ',
  'Hello, world! How are you?',
  '<s>',
  '</s>',
  'a<s>b</s>',
  '<unk>',
  '<0x41>',
  '<0x0A> \u0000 \u0001',
  '\u0000',
  '\u007f\u0080\u00ff',
  'naïve café, Führer, Ærø',
  'e\u0301 is not \u00e9',
  'нещо на Български',
  '我想在apple工作1314151天～',
  'កាន់តែពិសេសអាចខលចេញ',
  'مرحبا بالعالم',
  '🚀 😶‍🌫️ 👩‍👩‍👧 🇫🇷',
  '\u{10ffff}\u{e000}\ufeff',
  '3.14159 1,000,000 0x7f 1e-9',
  'w048 7tuijk dsdfhu',
  "y'all don't I'LL o'clock",
  'https://example.com/a?b=c&d=%20#e',
  'if (x <= y) { return "z"; } // comment',
  'x'.repeat(300),
  ' '.repeat(100) + 'end',
  'the '.repeat(100),
];

const WORDS =
  'the a of and little girl river said Amina mountains unbelievably 12 2026 x é ß 水 дом 🦙 ... , . ! ? " \' ( ) - < > [INST]'.split(
    ' ',
  );
const GAPS = [' ', ' ', ' ', ' ', '', '  ', '\n', '\t', '\u00a0', '   '];

export function sampleStrings(count) {
  // a linear congruential generator with the constants of Numerical Recipes; any fixed sequence
  // will do
  let state = 1;
  const below = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const one = () => {
    // One third are words and gaps, one third code points of the first plane, one third code points
    // of all planes.
    const kind = below(3);
    const length = 1 + below(kind === 0 ? 30 : 12);
    let text = '';
    for (let i = 0; i < length; i++) {
      if (kind === 0) text += WORDS[below(WORDS.length)] + GAPS[below(GAPS.length)];
      else text += String.fromCodePoint(below(kind === 1 ? 0x3000 : 0x110000));
    }
    // An unpaired surrogate has no UTF-8, and the vocabulary itself uses U+2581 for a space.
    return text.toWellFormed().replaceAll('\u2581', '_');
  };
  return [...CASES, ...Array.from({ length: count }, one)].slice(0, count);
}
