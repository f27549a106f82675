/** Nouns and a story of our own, in which someone reads a list twice. */
import { randomNumbers } from '../types/random.js';

/** Nouns that have nothing in common. */
export const ARBITRARY = (
  'window river basket teacher candle mountain button letter garden needle horse mirror cloud ' +
  'hammer island ribbon doctor kettle feather bridge pencil castle pillow soldier orange ladder ' +
  'violin blanket lantern rabbit engine pocket ocean statue pepper saddle mother curtain whistle ' +
  'forest table anchor sister bottle thunder carpet monkey parcel village shadow'
).split(' ');

/** Lists of nouns of one kind. */
export const COHERENT = [
  'horse rabbit monkey tiger mouse donkey chicken spider goat turtle',
  'bread cheese apple butter sugar honey onion carrot soup cake',
  'shirt jacket shoe button sleeve collar hat glove skirt coat',
  'table chair lamp carpet shelf mirror cupboard curtain sofa bed',
  'finger shoulder elbow stomach tongue ankle knee neck thumb cheek',
].map((list) => list.split(' '));

export const PREFACE = 'Before the journey, Anna wrote down a list of words:';
export const CUE = 'When Anna came back, she read the list again:';

/** What happens between the lists. */
const STORY = [
  'Then she went outside and looked at the sky for a while.',
  'The evening was warm, and a few children were playing in the street.',
  'An old man sat on a bench and fed the birds.',
  'Far away a dog barked, and somebody called a name.',
  'She thought of her friend, who lived near the sea.',
  'A cart with two brown cows rolled slowly up the hill.',
  'Soon the first stars came out, and the air grew cold.',
  'She buttoned up her coat and walked around the house.',
];
/** The same length about something else. */
const OTHER = [
  'Water becomes ice when the air is cold enough.',
  'Iron is heavy, and wood floats on every lake.',
  'A year has twelve months, and most of them are longer than four weeks.',
  'Salt is white and comes from the sea or from the ground.',
  'The moon moves around the earth and gives no light by itself.',
  'Some metals melt in a fire, and others do not.',
  'Sound is slower than light, so thunder comes after lightning.',
  'Glass is made of sand, and paper is made of trees.',
];

/** How many sentences there are for each length of the text between the lists. */
const SENTENCES = { short: 1, medium: 4, long: 8 };

/** The items in a random order. */
export function shuffled<T>(items: readonly T[], random: (limit: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random(rest.length), 1)[0]!);
}

/** The text between the lists. */
export function gapText(
  context: 'intact' | 'incongruent' | 'scrambled' | 'none',
  gap: keyof typeof SENTENCES,
  seed: number,
): string {
  if (context === 'none') return 'Again:';
  const sentences = (context === 'incongruent' ? OTHER : STORY).slice(0, SENTENCES[gap]);
  const text = [...sentences, CUE].join(' ');
  return context === 'scrambled' ? shuffled(text.split(' '), randomNumbers(seed)).join(' ') : text;
}
