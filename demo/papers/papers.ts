/**
 * The list of the papers that this package grew from: what each one says, and what of it works
 * here. `npm run papers` checks the rows that claim something and prints the table in README.md.
 */
import { carried } from './carried.js';
import { others } from './others.js';
import type { Paper } from './paper.js';

export type * from './paper.js';

/** All papers by number. */
export const papers: readonly Paper[] = [...carried, ...others].sort((a, b) => a.number - b.number);
