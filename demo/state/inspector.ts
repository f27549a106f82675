/** What the page shows about one position of the text: the choice that was or will be made there,
 *  token by token and stage by stage, and its draws. */
import { batch, computed, signal } from '@preact/signals';
import type { Session, StageName, StageTable } from 'tokenglass';
import type { Position, TextDocument } from './document.js';
import type { DrawCounts } from './queries.js';
import { cutFromTop, findTokens, repeatDraws } from './queries.js';
import type { ChoiceOptions } from './sampler.js';
import type { Services } from './services.js';
import { idsOf } from './tree.js';

/** Number of tokens that the ledger lists, when no search lists more. */
export const MAX_ROWS = 15;

/** What Why explains: a column of the ledger, and the token of a row. */
export interface Focus {
  readonly stage: StageName | 'model' | 'final';
  readonly token?: number | undefined;
}

export class Inspector {
  /** The page shows the choice before the token with this index; undefined: the next choice. */
  readonly selected = signal<number | undefined>(undefined);
  readonly table = signal<StageTable | undefined>(undefined);
  readonly focus = signal<Focus | undefined>(undefined);
  readonly query = signal('');
  /** The tokens that the search found, the most probable first. */
  readonly found = signal<readonly number[] | undefined>(undefined);
  readonly draws = signal<DrawCounts | undefined>(undefined);
  /** The token of the text at the selected index. */
  readonly taken = computed(() => {
    const index = this.selected.value;
    return index === undefined ? undefined : this.#document.path.value[index]?.token;
  });

  readonly #services: Services;
  readonly #document: TextDocument;
  #refreshQueued = false;

  constructor(services: Services, document: TextDocument) {
    this.#services = services;
    this.#document = document;
  }

  position(): Position {
    return { path: this.#document.path.value, index: this.selected.value };
  }

  /** A session that ends at a position, and the sampler's options there. */
  async #at({ path, index }: Position): Promise<[Session, ChoiceOptions]> {
    const session = await this.#services.engine.sessionAt(idsOf(path), index);
    return [session, await this.#document.optionsAt(path, index ?? path.length)];
  }

  /** Computes the choice at a position from the logits that are there: the model runs only for
   *  tokens that its session does not hold. `change` runs together with the update of the signals,
   *  so that the user sees both at once. */
  async show(position = this.position(), change = () => {}): Promise<void> {
    const { engine } = this.#services;
    const [session, options] = await this.#at(position);
    const found = await findTokens(session, this.query.value);
    const taken = position.index === undefined ? undefined : position.path[position.index]?.token;
    const biased = Object.keys(options.logit_bias ?? {}).map(Number);
    const cut = await cutFromTop(session, options);
    const tokens = [...(found ?? []), ...(taken === undefined ? [] : [taken]), ...biased, ...cut];
    const table = await session.stageTable({ ...options, max_rows: MAX_ROWS, tokens });
    const setStats = await engine.readStats();
    batch(() => {
      this.table.value = table;
      this.found.value = found;
      this.draws.value = undefined; // they belong to the old choice or the old settings
      setStats();
      change();
    });
  }

  /** Shows no choice. */
  clear(): void {
    this.table.value = undefined;
    this.found.value = undefined;
    this.draws.value = undefined;
  }

  search(query: string): void {
    this.query.value = query;
    this.refreshSoon();
  }

  /** The index when a token with that index has a choice, else undefined. Nothing comes before
   *  token 0, so token 0 has none. */
  #valid(index: number | undefined): number | undefined {
    const { length } = this.#document.path.value;
    return index !== undefined && index >= 1 && index < length ? index : undefined;
  }

  /** Shows the choice before a token of the text; undefined: the next choice. */
  select(index: number | undefined): void {
    const valid = this.#valid(index);
    this.#services.status.running.value = false;
    if (this.selected.value === valid && this.table.value) return;
    this.selected.value = valid;
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
      if (this.table.value && this.#document.isSynced())
        this.draws.value = await repeatDraws(...(await this.#at(this.position())));
    });
  }

  /** Adds one job that shows the choice again. While that job waits, further calls add none, so
   *  many moves of a slider cost one computation. */
  refreshSoon(): void {
    const { engine, queue, status } = this.#services;
    if (this.#refreshQueued || !engine.session) return;
    this.#refreshQueued = true;
    void queue.add(async () => {
      this.#refreshQueued = false;
      const hasChoice = status.phase.value !== 'failed' && status.phase.value !== 'empty';
      if (hasChoice && this.#document.isSynced()) await this.show();
    });
  }
}
