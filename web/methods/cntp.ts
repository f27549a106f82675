/**
 * Cautious Next Token Prediction: where the model is not certain, several trials run up to the next
 * punctuation mark, and the trial with the lowest perplexity goes on.
 */
import { invalid } from '../types/arguments.js';
import type { CntpTrace, CntpTrial, TrialEnd } from '../types/methods.js';
import { textOfBytes, textOfParts } from '../types/utf8.js';
import type { Branch, Drawn, MethodHost, MethodRun } from './host.js';
import type { MethodValues } from './list.js';

type CntpValues = MethodValues<'cntp'>;

/** What ends a trial. */
const MARKS = ['.', ',', '\n', '?', '!', ':', ';', ')', ']', '}'];

/** An odd number of 32 bits whose multiples are far from each other modulo 2^32. */
const SAMPLE_STEP = 2654435761;

/** The random numbers of a trial are those of this sample. Trial 0 has those of the caller. */
export const trialSample = (sample_index: number, trial: number): number =>
  (sample_index + Math.imul(SAMPLE_STEP, trial)) >>> 0;

/** How many trials an entropy (nats) asks for. Both formulas were published; they differ. */
export function trialCount(
  entropy: number,
  {
    formula,
    h_min,
    h_max,
    n_min,
    n_max,
  }: Pick<CntpValues, 'formula' | 'h_min' | 'h_max' | 'n_min' | 'n_max'>,
): number {
  const share = (entropy - h_min) / (h_max - h_min);
  if (formula === 'paper') return Math.max(n_min, Math.min(n_max, Math.floor(share * n_max)));
  return Math.floor(n_min + (n_max - n_min) * Math.min(Math.max(share, 0), 1));
}

/** The perplexity of tokens with these log-probabilities (nats). */
export const perplexityOf = (logprobs: readonly number[]): number =>
  Math.exp(-logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length);

/** The winner's steps that the caller has not taken yet. */
interface Segment<D extends Drawn> {
  branch: Branch<D>;
  drawn: D[];
  trace: CntpTrace;
}

class CntpRun<D extends Drawn> implements MethodRun<D, CntpTrace> {
  readonly #host: MethodHost<D>;
  readonly #values: CntpValues;
  #marks: Set<number> | undefined; // the ids of the marks, with match: 'id'
  #segment: Segment<D> | undefined;
  #spent = 0;

  constructor(host: MethodHost<D>, values: CntpValues) {
    this.#host = host;
    this.#values = values;
  }

  async next(remaining: number): Promise<D & { method: CntpTrace }> {
    if (this.#segment) return this.#take(this.#segment);
    const limit = Math.min(this.#values.trial_tokens, remaining, this.#host.room());
    const entropy = await this.#host.entropy();
    const n_trials = trialCount(entropy, this.#values);
    if (n_trials > 1 && limit > 0) {
      this.#segment = await this.#run(n_trials, limit, entropy, remaining);
      return this.#take(this.#segment);
    }
    const drawn = await this.#host.step();
    const spent_tokens = ++this.#spent;
    const trace = { entropy, n_trials: 1, trials: [], winner: 0, index: 0, spent_tokens };
    return { ...drawn, method: { name: 'cntp', ...trace } };
  }

  /** The winner's next step. */
  async #take({ branch, drawn, trace }: Segment<D>): Promise<D & { method: CntpTrace }> {
    const index = trace.index++;
    await branch.adopt(index + 1);
    if (index + 1 === drawn.length) await this.dispose();
    return { ...drawn[index]!, method: { ...trace, index } };
  }

  /** Runs the trials of a segment. All but the winner's branch are gone afterwards. */
  async #run(
    n_trials: number,
    limit: number,
    entropy: number,
    remaining: number,
  ): Promise<Segment<D>> {
    const branches = await this.#host.fork(n_trials);
    let winner = -1;
    try {
      const ran = await Promise.all(
        branches.map((branch, trial) => this.#trial(branch, trial, limit, remaining)),
      );
      const trials = ran.map(({ trial }) => trial);
      const best = trials.reduce((a, b) => (b.perplexity < a.perplexity ? b : a));
      winner = trials.indexOf(best);
      const { drawn } = ran[winner]!;
      const spent_tokens = (this.#spent += trials.reduce((n, { tokens }) => n + tokens.length, 0));
      const trace: CntpTrace = {
        name: 'cntp',
        entropy,
        n_trials,
        trials,
        winner,
        index: 0,
        spent_tokens,
      };
      return { branch: branches[winner]!, drawn, trace };
    } finally {
      await Promise.all(branches.map((branch, i) => (i === winner ? undefined : branch.dispose())));
    }
  }

  async #trial(
    branch: Branch<D>,
    trial: number,
    limit: number,
    remaining: number,
  ): Promise<{ drawn: D[]; trial: CntpTrial }> {
    const sample_index = trialSample(this.#host.sample_index, trial);
    const drawn: D[] = [];
    let ended: TrialEnd | undefined;
    while (!ended) {
      const last = await branch.draw(sample_index);
      drawn.push(last);
      if (last.eog && !this.#host.ignore_eos) ended = 'eog';
      else if (await this.#isMark(last)) ended = 'punctuation';
      else if (drawn.length === limit) ended = this.#limitName(limit, remaining);
    }
    const { score } = this.#values;
    const logprobs = drawn.map(({ logprob, p_final }) =>
      score === 'raw' ? logprob : Math.log(p_final),
    );
    return {
      drawn,
      trial: {
        sample_index,
        tokens: drawn.map(({ token }) => token),
        text: textOfParts(drawn.map(({ bytes }) => bytes)),
        perplexity: perplexityOf(logprobs),
        ended,
      },
    };
  }

  #limitName(limit: number, remaining: number): TrialEnd {
    if (limit === remaining) return 'max_tokens';
    return limit === this.#values.trial_tokens ? 'trial_tokens' : 'context';
  }

  async #isMark({ token, bytes }: D): Promise<boolean> {
    if (this.#values.match === 'text')
      return MARKS.includes(textOfBytes(bytes).replaceAll(' ', ''));
    if (!this.#marks) {
      const ids = await Promise.all(MARKS.map((mark) => this.#host.tokenize(mark)));
      this.#marks = new Set(ids.flatMap(([first]) => first ?? []));
    }
    return this.#marks.has(token);
  }

  async dispose(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.branch.dispose();
  }
}

/** Throws INVALID_ARGUMENT for options that contradict each other. */
export function cntp<D extends Drawn>(
  host: MethodHost<D>,
  values: CntpValues,
): MethodRun<D, CntpTrace> {
  const { h_min, h_max, n_min, n_max } = values;
  if (h_max <= h_min)
    throw invalid(`method.h_max is ${h_max}; it must be above h_min, which is ${h_min}`);
  if (n_min > n_max)
    throw invalid(`method.n_min is ${n_min}; it must be at most n_max, which is ${n_max}`);
  return new CntpRun(host, values);
}
