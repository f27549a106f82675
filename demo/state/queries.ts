/** Further queries about one choice: a search in the vocabulary, and repeated draws. Each takes a
 *  session that ends before the choice. None runs the model. */
import type { Session, StageName } from 'tokenglass';
import type { ChoiceOptions } from './sampler.js';

/** The result of repeated draws of one choice. */
export interface DrawCounts {
  n: number;
  /** Number of draws by token. */
  counts: Map<number, number>;
}

const MAX_FOUND = 30;
export const N_DRAWS = 100;
// the samples of repeated draws: apart from those of the text, which have the windows' numbers
const FIRST_TRIAL = 2 ** 31;
const TRIALS_PER_WINDOW = 128;

const MARKS: Readonly<Record<string, string>> = { '␣': ' ', '⏎': '\n', '⇥': '\t' };

/** What the user means by a mark with which the page shows white space. */
const withoutMarks = (query: string) => query.replace(/[␣⏎⇥]/g, (mark) => MARKS[mark]!);

/** The most probable tokens of the vocabulary that match a query: by id, or by a part of the text.
 *  undefined for an empty query. */
export async function findTokens(session: Session, query: string): Promise<number[] | undefined> {
  if (query === '') return undefined;
  const found = await session.findTokens(withoutMarks(query), { limit: MAX_FOUND });
  return found.map(({ token }) => token);
}

/** Stages that can cut tokens that are more probable than those that stay. */
const CUT_FROM_TOP: readonly StageName[] = ['xtc', 'typ_p'];
const TOP_N = 8; // tokens that are looked at

/** The most probable tokens that such a stage cuts. A table lists the tokens that stay first, so
 *  these may have no row of their own. */
export async function cutFromTop(session: Session, options: ChoiceOptions): Promise<number[]> {
  const isCut = (stage: StageName | undefined) =>
    stage !== undefined && CUT_FROM_TOP.includes(stage);
  if (!options.samplers?.some(isCut)) return [];
  const { candidates } = await session.candidates({ ...options, top_n: TOP_N });
  return candidates.filter(({ removed_by }) => isCut(removed_by)).map(({ token }) => token);
}

/** Draws the choice N_DRAWS times, each time with the random number of another sample. */
export async function repeatDraws(session: Session, options: ChoiceOptions): Promise<DrawCounts> {
  const counts = new Map<number, number>();
  for (let trial = 1; trial <= N_DRAWS; trial++) {
    const sample_index = FIRST_TRIAL + options.sample_index * TRIALS_PER_WINDOW + trial;
    const { draw } = await session.candidates({ ...options, sample_index, top_n: 0 });
    counts.set(draw.token, (counts.get(draw.token) ?? 0) + 1);
  }
  return { n: N_DRAWS, counts };
}
