/** What the page shows about one position of the text: the choice that was or will be made there,
 *  with its candidates, stages and draws. */
import { batch, computed, signal } from '@preact/signals';
import type { SamplerOptions, Session, StageName, StepTrace } from 'tokenglass';
import type { Position, TextDocument } from './document.js';
import type { DrawCounts, FoundToken } from './queries.js';
import { findTokens, probabilitiesAfter, repeatDraws } from './queries.js';
import type { Services } from './services.js';

/** Number of candidates in a choice. */
export const TOP_N = 100;

export class Inspector {
  /** The page shows the choice before the token with this index; undefined: the next choice. */
  readonly selected = signal<number | undefined>(undefined);
  readonly trace = signal<StepTrace | undefined>(undefined);
  /** The second bars show probabilities after this stage; undefined: after the last stage. */
  readonly stage = signal<StageName | undefined>(undefined);
  /** The probabilities of the second bars, by token. */
  readonly after = signal<ReadonlyMap<number, number>>(new Map());
  readonly query = signal('');
  readonly found = signal<FoundToken[] | undefined>(undefined);
  readonly draws = signal<DrawCounts | undefined>(undefined);
  /** The token of the text at the selected index. */
  readonly taken = computed(() => {
    const index = this.selected.value;
    if (index === undefined) return undefined;
    const { prompt, generated } = this.#document.display.value;
    return [...prompt, ...generated].find((token) => token.index === index)?.token;
  });

  readonly #services: Services;
  readonly #document: TextDocument;
  #refreshQueued = false;

  constructor(services: Services, document: TextDocument) {
    this.#services = services;
    this.#document = document;
  }

  position(): Position {
    const { promptIds, path } = this.#document;
    return { promptIds: promptIds.value, path: path.value, index: this.selected.value };
  }

  /** A session that ends at a position, and the sampler's options there. */
  async #at({ promptIds, path, index }: Position): Promise<[Session, SamplerOptions]> {
    const { engine, sampler } = this.#services;
    const generated = path.map(({ token }) => token);
    const session = await engine.sessionAt([...promptIds, ...generated], index);
    const end = index === undefined ? undefined : Math.max(0, index - promptIds.length);
    return [session, await sampler.optionsAfter(generated.slice(0, end))];
  }

  /** Computes the choice at a position from the logits that are there: the model runs only for
   *  tokens that its session does not hold. `change` runs together with the update of the signals,
   *  so that the user sees both at once. */
  async show(position = this.position(), change = () => {}): Promise<void> {
    const { engine } = this.#services;
    const [session, options] = await this.#at(position);
    const trace = await session.candidates({ ...options, top_n: TOP_N });
    const after = await probabilitiesAfter(session, options, trace, this.stage.value);
    const found = await findTokens(session, options, this.query.value, trace.n_vocab);
    const { decoded_tokens, memory } = await engine.model.value!.stats();
    batch(() => {
      this.trace.value = trace;
      this.after.value = after;
      this.found.value = found;
      this.draws.value = undefined; // they belong to the old choice or the old settings
      engine.decoded.value = decoded_tokens;
      engine.memory.value = memory.total;
      change();
    });
  }

  /** Shows no choice. */
  clear(): void {
    this.trace.value = undefined;
    this.found.value = undefined;
    this.draws.value = undefined;
  }

  search(query: string): void {
    this.query.value = query;
    this.refreshSoon();
  }

  showAfter(stage: StageName | undefined): void {
    this.stage.value = stage;
    this.refreshSoon();
  }

  /** The index when a token with that index has a choice, else undefined. Nothing comes before
   *  token 0, so token 0 has none. */
  #valid(index: number | undefined): number | undefined {
    const length = this.#document.tokensTo().length;
    return index !== undefined && index >= 1 && index < length ? index : undefined;
  }

  /** Shows the choice before a token of the text; undefined: the next choice. */
  select(index: number | undefined): void {
    this.#services.status.running.value = false;
    this.selected.value = this.#valid(index);
    this.refreshSoon();
  }

  /** The same inside a job of the queue. */
  async selectNow(index: number): Promise<void> {
    this.selected.value = this.#valid(index);
    await this.show();
  }

  /** Draws the choice on the page many times. The text does not change, and the model does not
   *  run. */
  tryDraws(): Promise<void> {
    this.#document.flush();
    return this.#services.queue.add(async () => {
      if (this.trace.value && this.#document.isSynced())
        this.draws.value = await repeatDraws(...(await this.#at(this.position())));
    });
  }

  /** Adds one job that shows the choice again. While that job waits, further calls add none, so
   *  many moves of a slider cost one computation. */
  refreshSoon(): void {
    const { engine, queue, status } = this.#services;
    this.#document.flush();
    if (this.#refreshQueued || !engine.session) return;
    this.#refreshQueued = true;
    void queue.add(async () => {
      this.#refreshQueued = false;
      if (status.phase.value !== 'failed' && this.#document.isSynced()) await this.show();
    });
  }
}
