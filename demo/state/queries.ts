/** Further queries about one choice: probabilities after one stage, a search in the vocabulary,
 *  repeated draws. Each takes a session that ends before the choice. None runs the model. */
import type { Candidate, SamplerOptions, Session, StageName, StepTrace } from 'tokenglass';
import { name as nameOf } from '../format.js';

/** A token that a search found. */
export interface FoundToken extends Candidate {
  /** Number of tokens that are more probable. */
  rank: number;
}

/** The result of repeated draws of one choice. */
export interface DrawCounts {
  n: number;
  /** Number of draws by token. */
  counts: Map<number, number>;
}

const MAX_FOUND = 30;
export const N_DRAWS = 100;

/** The probabilities of the listed candidates after a stage, by token. Runs the chain up to that
 *  stage again, on the same logits. undefined means the last stage. */
export async function probabilitiesAfter(
  session: Session,
  options: SamplerOptions,
  trace: StepTrace,
  stage: StageName | undefined,
): Promise<Map<number, number>> {
  const names = trace.stages.map(({ name }) => name);
  const last = stage ? names.indexOf(stage) : -1;
  const partial =
    last < 0
      ? trace
      : await session.candidates({
          ...options,
          samplers: names.slice(0, last + 1),
          top_n: trace.candidates.length,
        });
  return new Map(partial.candidates.map(({ token, p_final }) => [token, p_final]));
}

/** The most probable tokens of the vocabulary that match a query: by id, or by a part of the text.
 *  undefined for an empty query. */
export async function findTokens(
  session: Session,
  options: SamplerOptions,
  query: string,
  n_vocab: number,
): Promise<FoundToken[] | undefined> {
  if (query === '') return undefined;
  const wanted = query.toLowerCase();
  const { candidates } = await session.candidates({ ...options, top_n: n_vocab });
  const found: FoundToken[] = [];
  for (const [rank, candidate] of candidates.entries()) {
    const matches =
      String(candidate.token) === wanted ||
      candidate.text.toLowerCase().includes(wanted) ||
      nameOf(candidate).toLowerCase().includes(wanted);
    if (matches && found.push({ ...candidate, rank }) === MAX_FOUND) break;
  }
  return found;
}

/** Draws the choice N_DRAWS times, each time with the random number of another sample. */
export async function repeatDraws(session: Session, options: SamplerOptions): Promise<DrawCounts> {
  const counts = new Map<number, number>();
  for (let sample_index = 1; sample_index <= N_DRAWS; sample_index++) {
    const { draw } = await session.candidates({ ...options, sample_index, top_n: 0 });
    counts.set(draw.token, (counts.get(draw.token) ?? 0) + 1);
  }
  return { n: N_DRAWS, counts };
}
