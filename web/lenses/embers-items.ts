/** Tasks of our own: ciphers, counting and sorting, with likely and unlikely answers. */
import type { EmbersItem } from '../types/types.js';

const SENTENCES = [
  ['Once upon a time there was a little girl.', 'Girl little a was there time a upon once.'],
  ['The old man went to the river.', 'The old river went to the man at.'],
  ['She put the bread on the table.', 'She put the table of the bread in.'],
  ['The dog ran to the house.', 'The house dog to the ran.'],
] as const;

/** Words in alphabetical order: everyday ones, and rare ones. */
const SORTED = [
  [
    ['apple', 'bread', 'milk', 'water'],
    ['cat', 'dog', 'horse', 'mouse'],
    ['boy', 'girl', 'king', 'mother'],
  ],
  [
    ['anvil', 'brine', 'maxim', 'vesper'],
    ['cleft', 'dirge', 'husk', 'mural'],
    ['bevel', 'gloss', 'knack', 'mirth'],
  ],
] as const;

/** Numbers that texts have often, and others that are as large. */
const COUNTS = [
  [5, 10, 12],
  [7, 9, 11],
] as const;

/** Moves each letter forward in the alphabet; a negative shift moves it back. */
export const rotated = (text: string, shift: number): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const a = letter < 'a' ? 65 : 97;
    return String.fromCharCode(a + ((((letter.charCodeAt(0) - a + shift) % 26) + 26) % 26));
  });

const cipher = (shift: number): EmbersItem[] =>
  SENTENCES.flatMap((pair) =>
    pair.map((output, k) => ({
      task: `rot-${shift}`,
      likely: k === 0,
      instruction:
        `Rot-${shift} moves each letter ${shift} places forward in the alphabet. ` +
        `Coded: "${rotated('The cat sat.', shift)}" Plain: "The cat sat." Coded: "`,
      input: rotated(output, shift),
      cue: '" Plain: "',
      output,
    })),
  );

const counting = (): EmbersItem[] =>
  COUNTS.flatMap((numbers, k) =>
    numbers.map((n) => ({
      task: 'count',
      likely: k === 0,
      instruction: 'Count the stars. * * * There are 3 stars. Count the stars. ',
      input: Array.from({ length: n }, () => '*').join(' '),
      cue: ' There are',
      output: ` ${n} stars.`,
    })),
  );

/** A fixed order that is not sorted: every second word first. */
const mixed = (words: readonly string[]): string[] => [
  ...words.filter((_, i) => i % 2 === 1),
  ...words.filter((_, i) => i % 2 === 0),
];

const sorting = (): EmbersItem[] =>
  SORTED.flatMap((lists, k) =>
    lists.map((words) => ({
      task: 'sort',
      likely: k === 0,
      instruction: 'Sort the words. Words: tree, bird, sun. Sorted: bird, sun, tree. Words: ',
      input: `${mixed(words).join(', ')}.`,
      cue: ' Sorted:',
      output: ` ${words.join(', ')}.`,
    })),
  );

/** All tasks. */
export const embersItems = (): EmbersItem[] => [
  ...cipher(13),
  ...cipher(2),
  ...counting(),
  ...sorting(),
];
