/** Further looks at one choice: in, a session that stands before it and the options; out, what a stage left, tokens that were looked for, coins that were thrown. None
 * runs the model. */
import type { Candidate, SamplerOptions, Session, StageName, StepTrace } from 'tokenglass';
import { name as nameOf } from '../format.js';

/** A token that was looked for, with its place among all. */
export interface Found extends Candidate {
  rank: number;
}

/** What came of throwing the coin of one choice again and again. */
export interface Draws {
  n: number;
  /** By token, how often. */
  counts: Map<number, number>;
}

const MOST_FOUND = 30;
export const DRAWS = 100;

/** Probabilities of the listed candidates after a stage: the chain up to it, run again on the same logits. */
export async function afterStage(
  session: Session,
  options: SamplerOptions,
  trace: StepTrace,
  stage: StageName | undefined,
): Promise<Map<number, number>> {
  const names = trace.stages.map(({ name }) => name);
  const last = stage ? names.indexOf(stage) : -1;
  const upto =
    last < 0
      ? trace
      : await session.candidates({
          ...options,
          samplers: names.slice(0, last + 1),
          top_n: trace.candidates.length,
        });
  return new Map(upto.candidates.map(({ token, p_final }) => [token, p_final]));
}

/** The most probable tokens of the whole vocabulary whose name has the query in it, or whose id it is. */
export async function find(
  session: Session,
  options: SamplerOptions,
  query: string,
  n_vocab: number,
): Promise<Found[] | undefined> {
  if (query === '') return undefined;
  const wanted = query.toLowerCase();
  const { candidates } = await session.candidates({ ...options, top_n: n_vocab });
  const found: Found[] = [];
  for (const [rank, candidate] of candidates.entries()) {
    const hit =
      String(candidate.token) === wanted ||
      candidate.text.toLowerCase().includes(wanted) ||
      nameOf(candidate).toLowerCase().includes(wanted);
    if (hit && found.push({ ...candidate, rank }) === MOST_FOUND) break;
  }
  return found;
}

/** Coins of further samples of this choice. */
export async function throwCoins(session: Session, options: SamplerOptions): Promise<Draws> {
  const counts = new Map<number, number>();
  for (let sample_index = 1; sample_index <= DRAWS; sample_index++) {
    const { draw } = await session.candidates({ ...options, sample_index, top_n: 0 });
    counts.set(draw.token, (counts.get(draw.token) ?? 0) + 1);
  }
  return { n: DRAWS, counts };
}
