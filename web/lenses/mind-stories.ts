/** Stories of our own in which a thing is moved while its owner is away. */
import type { MindStory } from '../types/types.js';

/** Two people, a thing, where it was, where it is now, and where all this happens. */
const CASTS = [
  ['Anna', 'Tom', 'ball', 'basket', 'box', 'kitchen'],
  ['Maya', 'Ben', 'book', 'drawer', 'bag', 'school'],
  ['Peter', 'Lucy', 'cake', 'cupboard', 'oven', 'house'],
  ['Sam', 'Nina', 'key', 'pocket', 'jar', 'hall'],
  ['Rosa', 'Will', 'coin', 'cup', 'chest', 'garden'],
  ['Jack', 'Emma', 'doll', 'bed', 'cart', 'room'],
  ['Kofi', 'Amina', 'drum', 'hut', 'boat', 'village'],
  ['Clara', 'Hugo', 'letter', 'desk', 'hat', 'office'],
  ['Ravi', 'Meena', 'mango', 'bowl', 'sack', 'market'],
  ['Olga', 'Ivan', 'ring', 'purse', 'bucket', 'stable'],
] as const;

const BEGINNINGS = [
  'The sun',
  'A small bird',
  'The wind',
  'An old cart',
  'A grey cloud',
  'The church bell',
  'A yellow butterfly',
  'The neighbour',
];
const ENDINGS = [
  'went slowly past the window.',
  'was far away that day.',
  'came back in the afternoon.',
  'made a soft sound outside.',
  'could be seen over the trees.',
  'crossed the road twice.',
  'was there as on every other day.',
  'moved on toward the hills.',
];

/** How many different sentences can be inserted. */
export const MAX_INFILL = BEGINNINGS.length * ENDINGS.length;

/** n sentences that say nothing of any story, each with a space behind it; no sentence twice. */
export const infillOf = (n: number): string =>
  Array.from({ length: n }, (_, i) => {
    const round = Math.floor(i / BEGINNINGS.length);
    const ending = ENDINGS[(i + round) % ENDINGS.length]!;
    return `${BEGINNINGS[i % BEGINNINGS.length]!} ${ending} `;
  }).join('');

/** The stories with their questions. */
export const mindStories = (): MindStory[] =>
  CASTS.map(([owner, other, thing, old_place, new_place, where]) => {
    const truth = { answer: ` ${new_place}`, distractor: ` ${old_place}` };
    const belief = { answer: ` ${old_place}`, distractor: ` ${new_place}` };
    return {
      before:
        `${owner} and ${other} were in the ${where}. ${owner} put the ${thing} in the ` +
        `${old_place} and went away. ${owner} did not see that ${other} took the ${thing} out ` +
        `of the ${old_place} and put the ${thing} in the ${new_place}. `,
      after: `Then ${owner} came back and wanted the ${thing}.`,
      questions: [
        { order: 'zero', cloze: `Now the ${thing} is in the`, ...truth },
        { order: 'first', cloze: `${owner} thinks that the ${thing} is in the`, ...belief },
        {
          order: 'second',
          cloze: `${other} knows that ${owner} will look for the ${thing} in the`,
          ...belief,
        },
      ],
    };
  });
