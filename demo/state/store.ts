/** The page's live state: in, the user's wishes; out, signals that the views read. The tree of texts and the chain are pure (tree.ts, chain.ts); this asks the
 * engine for what follows from them. One session at a time; work is done in order. */
import { batch, computed, signal } from '@preact/signals';
import type {
  Model,
  SamplerOptions,
  Session,
  StageName,
  StageOptionName,
  StepTrace,
  TokenScore,
} from 'tokenglass';
import type { Chain } from './chain.js';
import { moved, optionsOf, switched, usualChain, withValue } from './chain.js';
import { OutputConstraint } from './constraint.js';
import type { SharedState, Opening } from './shared-state.js';
import { foreign } from './shared-state.js';
import type { Draws, Found } from './queries.js';
import { afterStage, find, throwCoins } from './queries.js';
import { displayTokens } from './display-tokens.js';
import type { History, GeneratedToken, Node, Origin, Root, Tree } from './tree.js';
import * as trees from './tree.js';

export type Phase = 'loading' | 'ready' | 'ended' | 'full' | 'failed';

const FIRST_PROMPT = 'Once upon a time there was a little girl who';
const FIRST_SEED = 5;
export const TOP_N = 100;
const TYPING_MS = 120; // a pause in typing after which the prompt is run
const NAP_MS = 40; // a slow run looks so often whether it is to end

/** Resolves once the screen shows what has changed, so that the drawing is not counted as the model's time. */
const painted = () =>
  new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const nap = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** What a replay came to: so many tokens, and where the first was another one. */
export interface Replayed {
  n: number;
  differs: number | undefined;
}

/** Before which token of which text; undefined: at its end. */
interface Place {
  promptIds: readonly number[];
  path: readonly Node[];
  index: number | undefined;
}

export class Store {
  readonly phase = signal<Phase>('loading');
  readonly running = signal(false); // a wish: it may end before the token that is under way
  readonly loaded = signal(0); // share of the model's file
  readonly failure = signal('');
  /** Something to know that stops nothing. */
  readonly notice = signal('');
  readonly history = signal<History>(trees.start({ text: FIRST_PROMPT }));
  readonly tree = computed<Tree>(() => this.history.value.now);
  readonly prompt = computed(() => this.tree.value.root.text);
  readonly path = computed<Node[]>(() => trees.pathTo(this.tree.value.at));
  readonly chain = signal<Chain>(usualChain);
  readonly seed = signal(FIRST_SEED);
  /** The seed stays at a reset; else each beginning has a new one. */
  readonly locked = signal(true);
  /** Tokens a second, at most; Infinity: as fast as it goes. */
  readonly speed = signal(Infinity);
  /** The choice before the token of this index is shown; undefined: the next one. */
  readonly selected = signal<number | undefined>(undefined);
  readonly trace = signal<StepTrace | undefined>(undefined);
  /** What the second bars show: probabilities after this stage; undefined: after the last. */
  readonly stage = signal<StageName | undefined>(undefined);
  /** Those probabilities by token, of the candidates shown. */
  readonly after = signal<ReadonlyMap<number, number>>(new Map());
  readonly query = signal('');
  readonly found = signal<Found[] | undefined>(undefined);
  readonly draws = signal<Draws | undefined>(undefined);
  readonly replayed = signal<Replayed | undefined>(undefined);
  readonly decoded = signal(0);
  readonly memory = signal(0);
  readonly rate = signal(0); // tokens a second of the last run, with every choice traced, without the waits for the screen
  readonly model = signal<Model | undefined>(undefined);
  readonly promptIds = signal<readonly number[]>([]);
  readonly scores = signal<readonly TokenScore[] | undefined>(undefined);
  readonly constraint = new OutputConstraint();

  /** The text, token by token. */
  readonly shown = computed(() =>
    displayTokens(
      this.prompt.value,
      this.promptIds.value.length,
      this.scores.value,
      this.path.value,
    ),
  );
  /** The token of the text that the shown choice was for. */
  readonly taken = computed(() => {
    const index = this.selected.value;
    if (index === undefined) return undefined;
    return [...this.shown.value.prompt, ...this.shown.value.made].find(
      (shown) => shown.index === index,
    )?.token;
  });
  /** How many ways were taken at each token. */
  readonly forks = computed(() => trees.forksOn(this.tree.value, this.path.value));
  readonly canUndo = computed(() => this.history.value.past.length > 0);
  readonly canRedo = computed(() => this.history.value.future.length > 0);
  /** What is shown is about to change. */
  readonly busy = computed(() => this.#pending.value > 0);

  readonly #pending = signal(0); // works that are queued or under way, and typing that is not yet taken up
  readonly #asked = new WeakMap<Node, SamplerOptions>(); // with what a drawn token was drawn
  #session: Session | undefined;
  #view: { session: Session; ids: readonly number[] } | undefined; // at the selected token
  #work: Promise<void> = Promise.resolve();
  #typing: ReturnType<typeof setTimeout> | undefined; // the prompt on the page is not yet the session's
  #looking = false;
  #scoring: AbortController | undefined;
  #runs = 0;
  #opening: Opening | undefined; // a shared state that waits for the first model

  /** Takes up a model that load makes, and shows its first choice. The one before stays until then. */
  async start(load: (progress: (share: number) => void) => Promise<Model>): Promise<void> {
    this.pause();
    this.#endTyping();
    await this.#do(async () => {
      const model = await load((share) => (this.loaded.value = share));
      const before = this.model.value;
      await this.#closeView();
      await before?.dispose();
      this.constraint.clear();
      batch(() => {
        this.model.value = model;
        // tokens of another vocabulary mean nothing here; the text that was typed does
        if (before) {
          const { root } = this.tree.value;
          const text = root.chat ? FIRST_PROMPT : root.text;
          // a plain text stays the same root: a link that is about to be opened knows it by that
          this.history.value = trees.start(root.chat || root.ids ? { text } : root);
        }
        this.selected.value = undefined;
        this.replayed.value = undefined;
        this.rate.value = 0;
      });
      this.#session = model.createSession();
      const opening = this.#opening;
      this.#opening = undefined;
      await (opening ? this.#openNow(opening) : this.#take());
    });
  }

  /** One thing after the other; what fails is shown. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#pending.value++;
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => {
        this.failure.value = message(error);
        this.phase.value = 'failed';
        this.running.value = false;
      })
      .finally(() => this.#pending.value--);
    return this.#work;
  }

  /** The same for others that work on this model, in turn; what fails is theirs. */
  inTurn(work: () => Promise<void>): Promise<void> {
    this.#typed();
    let failed: unknown;
    return this.#do(() =>
      work().catch((error: unknown) => void (failed = error ?? new Error('failed'))),
    ).then(() => {
      if (failed !== undefined) throw failed as Error;
    });
  }

  async #idsOf(root: Root): Promise<readonly number[]> {
    const model = this.model.value!;
    if (root.ids) return root.ids;
    return root.chat ? (await model.applyChatTemplate(root.chat)).ids : model.tokenize(root.text);
  }

  /** With what a token was drawn; undefined when it was not. */
  askedOf(node: Node): SamplerOptions | undefined {
    return node.how === 'drawn' ? this.#asked.get(node) : undefined;
  }

  /** Whether the present settings drew it. */
  wasDrawnSo(node: Node): boolean {
    const now = { ...optionsOf(this.chain.value), seed: this.seed.value };
    return JSON.stringify(this.askedOf(node)) === JSON.stringify(now);
  }

  /** The tokens up to an index; undefined: all. */
  tokensTo(index?: number): number[] {
    return [...this.promptIds.value, ...this.path.value.map(({ token }) => token)].slice(0, index);
  }

  /** The present place of the tree becomes the session's; when it cannot, nothing is shown that belongs to another text. */
  async #take(): Promise<void> {
    if (!this.#session) return; // there is no model, and the page says why
    const { root } = this.tree.value;
    try {
      const ids = await this.#idsOf(root);
      if (this.tree.value.root !== root) return; // another one was typed meanwhile, and is about to be taken
      await this.#session.sync([...ids, ...this.path.value.map(({ token }) => token)]);
      const fresh =
        ids.length !== this.promptIds.value.length ||
        ids.some((id, i) => id !== this.promptIds.value[i]);
      await this.#look(
        () => {
          this.promptIds.value = ids;
          if (fresh) this.scores.value = undefined;
        },
        { promptIds: ids, path: this.path.value, index: undefined },
      );
    } catch (error) {
      batch(() => {
        this.trace.value = undefined;
        this.found.value = undefined;
        this.draws.value = undefined;
        this.scores.value = undefined;
        this.promptIds.value = [];
      });
      throw error;
    }
    this.failure.value = '';
    this.#settlePhase();
    if (!this.scores.value) void this.#do(() => this.#score());
  }

  #settlePhase(): void {
    const length = this.promptIds.value.length + this.path.value.length;
    const full = length >= this.model.value!.info.n_ctx;
    this.phase.value = this.tree.value.at?.eog ? 'ended' : full ? 'full' : 'ready';
  }

  /** How surprising the prompt's own tokens are; a prompt that is typed meanwhile ends it. */
  async #score(): Promise<void> {
    const ids = this.promptIds.value;
    if (this.scores.value || ids.length === 0 || this.#typing !== undefined) return;
    this.#scoring = new AbortController();
    try {
      const scores = await this.model.value!.score(ids, { signal: this.#scoring.signal });
      if (ids !== this.promptIds.value) return;
      this.scores.value = scores;
      this.decoded.value = (await this.model.value!.stats()).decoded_tokens;
    } catch (error) {
      if (!this.#scoring.signal.aborted) throw error;
    } finally {
      this.#scoring = undefined;
    }
  }

  #place(): Place {
    return { promptIds: this.promptIds.value, path: this.path.value, index: this.selected.value };
  }

  /** The chain, the seed and the grammar at a place. */
  async #options({ promptIds, path, index }: Place): Promise<SamplerOptions> {
    const after = index === undefined ? path : path.slice(0, Math.max(0, index - promptIds.length));
    const grammar = await this.constraint.bitsAfter(after.map(({ token }) => token));
    return { ...optionsOf(this.chain.value), seed: this.seed.value, ...(grammar && { grammar }) };
  }

  async #closeView(): Promise<void> {
    const view = this.#view;
    this.#view = undefined;
    await view?.session.dispose();
  }

  /** The session whose end is the place. An earlier place has one of its own, so that its logits stay while sliders move. */
  async #placed({ promptIds, path, index }: Place): Promise<Session> {
    if (index === undefined) {
      await this.#closeView();
      return this.#session!;
    }
    const ids = [...promptIds, ...path.map(({ token }) => token)].slice(0, index);
    const same =
      this.#view?.ids.length === ids.length && this.#view.ids.every((id, i) => id === ids[i]);
    if (!same) {
      await this.#closeView();
      const session = await this.#session!.fork();
      this.#view = { session, ids };
      await session.rewind(index);
    }
    return this.#view!.session;
  }

  /** The choice with the settings as they are, from the logits that are there; the model runs only for tokens that are new.
   *  What else changes with it is seen together with it. */
  async #look(change = () => {}, place = this.#place()): Promise<void> {
    const session = await this.#placed(place);
    const options = await this.#options(place);
    const trace = await session.candidates({ ...options, top_n: TOP_N });
    const after = await afterStage(session, options, trace, this.stage.value);
    const found = await find(session, options, this.query.value, trace.n_vocab);
    const { decoded_tokens, memory } = await this.model.value!.stats();
    batch(() => {
      this.trace.value = trace;
      this.after.value = after;
      this.found.value = found;
      this.draws.value = undefined; // they were of another choice, or by other settings
      this.decoded.value = decoded_tokens;
      this.memory.value = memory.total;
      change();
    });
  }

  search(query: string): void {
    this.query.value = query;
    this.#lookSoon();
  }

  showAfter(stage: StageName | undefined): void {
    this.stage.value = stage;
    this.#lookSoon();
  }

  /** Shows the choice that led to a token of the text; undefined: the next one. */
  select(index: number | undefined): void {
    const last = this.promptIds.value.length + this.path.value.length - 1;
    const inside = index !== undefined && index >= 1 && index <= last ? index : undefined; // nothing stands before the first
    this.pause();
    this.selected.value = inside;
    this.#lookSoon();
  }

  /** Throws the coins of further samples of the shown choice: the text does not go on, and the model is not run. */
  tryDraws(): Promise<void> {
    this.#typed();
    return this.#do(async () => {
      if (!this.trace.value) return;
      const place = this.#place();
      this.draws.value = await throwCoins(await this.#placed(place), await this.#options(place));
    });
  }

  // ---- the text

  setPrompt(text: string): void {
    this.#begin({ text }, 'typing');
    this.#pending.value++;
    this.#typing = setTimeout(() => this.#typed(), TYPING_MS);
  }

  /** Another beginning, to be taken up. */
  #begin(root: Root, kind = ''): void {
    this.pause();
    this.#endTyping();
    this.#scoring?.abort();
    batch(() => {
      this.history.value = trees.stepped(this.history.value, trees.createTree(root), kind);
      this.selected.value = undefined;
      this.replayed.value = undefined;
      if (this.#session) this.phase.value = 'ready'; // what comes next comes after the new prompt
    });
  }

  /** A conversation, up to where the assistant begins. */
  setChat(chat: NonNullable<Root['chat']>): Promise<void> {
    this.#begin({ text: '', chat });
    return this.#do(() => this.#take());
  }

  /** Opens a shared state. Its prompt and settings apply at once; its tokens follow in the queue, because only the
   *  model that is loaded then can say whether they are its own. `what` names the source in a notice. */
  async open(moment: SharedState, what: string): Promise<void> {
    const root = { text: moment.prompt };
    const opening = { moment, what, root };
    batch(() => {
      this.chain.value = moment.chain;
      this.seed.value = moment.seed;
      if (this.model.value) this.#begin(root);
      else this.history.value = trees.start(root); // nothing was shown before it
    });
    if (this.model.value) await this.#do(() => this.#openNow(opening));
    else this.#opening = opening;
  }

  async #openNow({ moment, what, root }: Opening): Promise<void> {
    if (this.tree.value.root !== root) return this.#take(); // another text was asked for meanwhile
    const model = this.model.value!;
    const source = foreign(moment, model.info);
    if (source !== undefined) {
      this.notice.value = `This ${what} is of ${source}: its prompt and settings are here, its text is not, and what comes next will differ.`;
      return this.#take();
    }
    const ids = moment.ids ?? (await model.tokenize(moment.prompt));
    const path = moment.path.slice(0, Math.max(0, model.info.n_ctx - ids.length));
    const scores = path.length ? await model.score([...ids, ...path]) : [];
    if (this.tree.value.root !== root) return this.#take();
    const options = { ...optionsOf(this.chain.value), seed: this.seed.value };
    let now = trees.createTree({ ...root, ...(moment.ids && { ids }) });
    for (const score of scores.slice(ids.length)) {
      const given = moment.chosen.includes(now.at?.depth ?? 0);
      const { token, bytes, text, logprob, rank, entropy } = score;
      const how: Origin = given ? 'given' : 'drawn';
      const eog = token === model.info.eos;
      now = trees.addToken(now, { token, bytes, text, logprob, rank, entropy, how, eog });
      if (!given) this.#asked.set(now.at!, options);
    }
    batch(() => {
      this.history.value = { ...this.history.value, now };
      if (scores.length === 0) return;
      this.promptIds.value = ids;
      this.scores.value = scores.slice(0, ids.length);
    });
    await this.#take();
  }

  /** Whether anything was typed that is not yet taken up; that is the caller's now. */
  #endTyping(): boolean {
    this.history.value = trees.settled(this.history.value);
    if (this.#typing === undefined) return false;
    clearTimeout(this.#typing);
    this.#typing = undefined;
    this.#pending.value--;
    return true;
  }

  /** Takes up what was typed, if anything was, before whatever comes next. */
  #typed(): void {
    if (this.#endTyping()) void this.#do(() => this.#take());
  }

  /** Shows the tree as it became, elsewhere or before. */
  #show(history: History): Promise<void> {
    this.pause();
    this.#endTyping();
    this.#scoring?.abort();
    batch(() => {
      this.history.value = history;
      this.selected.value = undefined;
      this.replayed.value = undefined;
      if (this.#session) this.phase.value = 'ready';
    });
    return this.#do(() => this.#take());
  }

  undo(): Promise<void> {
    return this.#show(trees.undo(this.history.value));
  }

  redo(): Promise<void> {
    return this.#show(trees.redo(this.history.value));
  }

  /** To a node of the tree; undefined: the end of the prompt. */
  goTo(node: Node | undefined): Promise<void> {
    return this.#show(trees.stepped(this.history.value, trees.moveTo(this.tree.value, node)));
  }

  /** Keeps the shown path alone. */
  prune(): Promise<void> {
    return this.#show(trees.stepped(this.history.value, trees.pruned(this.tree.value)));
  }

  /** Back to the end of the prompt. */
  reset(): Promise<void> {
    if (!this.locked.value) this.seed.value = Math.floor(Math.random() * 2 ** 32); // the new seed itself need not be reproducible
    return this.tree.value.at ? this.goTo(undefined) : this.#show(this.history.value);
  }

  // ---- the chain

  set(name: StageOptionName, value: number): void {
    this.setChain(withValue(this.chain.value, name, value));
  }

  toggle(name: StageName, on: boolean): void {
    this.setChain(switched(this.chain.value, name, on));
  }

  move(name: StageName, to: number): void {
    this.setChain(moved(this.chain.value, name, to));
  }

  setChain(chain: Chain): void {
    this.chain.value = chain;
    this.#lookSoon();
  }

  setSeed(seed: number): void {
    this.seed.value = seed;
    this.#lookSoon();
  }

  /** What the text must be; undefined: anything. */
  async setForm(form: Parameters<OutputConstraint['set']>[1]): Promise<void> {
    this.pause();
    await this.#do(async () => {
      if (!this.model.value) return;
      await this.constraint.set(this.model.value, form);
      await this.#look();
    });
  }

  /** Many moves of a slider while one look is under way are followed by one more look. */
  #lookSoon(): void {
    this.#typed();
    if (this.#looking || !this.#session) return;
    this.#looking = true;
    void this.#do(async () => {
      this.#looking = false;
      if (this.phase.value !== 'failed') await this.#look();
    });
  }

  // ---- going on

  /** One token more at the session's end, by these options. */
  async #next(options: SamplerOptions, how: Origin): Promise<GeneratedToken> {
    const session = this.#session!;
    for await (const step of session.generate(undefined, {
      ...options,
      max_tokens: 1,
      trace: { top_n: TOP_N },
    })) {
      const { token, bytes, logprob, rank, entropy, eog } = step;
      const text = await this.model.value!.tokenText(token);
      return { token, bytes, text, logprob, rank, entropy, how, eog };
    }
    throw new Error('no token came');
  }

  /** One token more, by these options; the text and the choice after it are seen together. */
  async #grow(options: SamplerOptions, how: Origin, kind: string): Promise<void> {
    const before = this.tree.value;
    const made = await this.#next(options, how);
    if (this.tree.value !== before) return; // another place was asked for meanwhile
    const after = trees.addToken(before, made);
    if (how === 'drawn' && !this.#asked.has(after.at!)) this.#asked.set(after.at!, options);
    const path = trees.pathTo(after.at);
    await this.#look(
      () => {
        if (this.tree.value !== before) return;
        this.history.value = trees.stepped(this.history.value, after, kind);
        this.selected.value = undefined;
        this.#settlePhase();
      },
      { promptIds: this.promptIds.value, path, index: undefined },
    );
  }

  async #make(kind = ''): Promise<void> {
    if (this.phase.value !== 'ready') return;
    await this.#grow(await this.#options({ ...this.#place(), index: undefined }), 'drawn', kind);
  }

  step(): Promise<void> {
    this.pause();
    this.#typed();
    return this.#do(() => this.#make());
  }

  /** Goes on until pause, an end token, or a full context. One run is one step of the history. */
  run(): Promise<void> {
    this.#typed();
    this.running.value = true;
    const kind = `run ${++this.#runs}`;
    return this.#do(async () => {
      let busy = 0; // milliseconds
      for (let n = 1; this.running.value && this.phase.value === 'ready'; n++) {
        const start = performance.now();
        await this.#make(kind);
        busy += performance.now() - start;
        this.rate.value = (n / busy) * 1000;
        await painted();
        const due = start + 1000 / this.speed.value;
        while (this.running.value && performance.now() < due)
          await nap(Math.min(NAP_MS, due - performance.now()));
      }
      this.running.value = false;
    });
  }

  /** At most the token that is under way is still made. */
  pause(): void {
    this.running.value = false;
  }

  /** Takes a token of the shown choice, whichever it is: another path begins there, and the old one is kept. */
  branch(token: number): Promise<void> {
    this.pause();
    this.#typed();
    return this.#do(async () => {
      if (!this.trace.value || !this.#session) return;
      const { promptIds, path, index = Infinity } = this.#place();
      const taken = [...promptIds, ...path.map((node) => node.token)][index];
      if (taken === token) return this.#selectNow(index + 1);
      if (this.phase.value === 'full' && index === Infinity) return;
      const [root, parent] = await this.#cut(index);
      const from = trees.moveTo(root, parent);
      const known = trees.childrenOf(from, parent).find((child) => child.token === token);
      const kind = `branch ${++this.#runs}`;
      this.history.value = trees.stepped(
        this.history.value,
        known ? trees.moveTo(from, trees.tipThrough(from, known)) : from,
        kind,
      );
      this.selected.value = undefined;
      this.replayed.value = undefined;
      await this.#take();
      if (!known && this.phase.value !== 'failed') await this.#force(token, 'chosen', kind);
      this.history.value = trees.settled(this.history.value);
    });
  }

  /** A token by hand at the end of the path. */
  #force(token: number, how: Origin, kind: string): Promise<void> {
    return this.#grow({ samplers: ['allowed_tokens'], allowed_tokens: [token] }, how, kind);
  }

  /** The tree, and in it the node before a token of the text; within the prompt that is a tree of its own. */
  async #cut(index: number): Promise<[Tree, Node | undefined]> {
    const { promptIds, path } = this.#place();
    if (index >= promptIds.length)
      return [this.tree.value, path[Math.min(index - promptIds.length, path.length) - 1]];
    const ids = promptIds.slice(0, index);
    return [trees.createTree({ text: await this.model.value!.detokenize(ids), ids }), undefined];
  }

  async #selectNow(index: number): Promise<void> {
    const last = this.promptIds.value.length + this.path.value.length - 1;
    this.selected.value = index <= last ? index : undefined;
    await this.#look();
  }

  /** Makes the shown path again from the prompt, each token as it was made, and tells whether the same came. */
  replay(): Promise<void> {
    this.pause();
    this.#typed();
    return this.#do(async () => {
      const path = this.path.value;
      if (path.length === 0 || this.phase.value === 'failed') return;
      this.replayed.value = undefined;
      this.running.value = true;
      const kind = `replay ${++this.#runs}`;
      this.history.value = trees.stepped(
        this.history.value,
        trees.moveTo(this.tree.value, undefined),
        kind,
      );
      this.selected.value = undefined;
      await this.#take();
      let differs: number | undefined;
      for (const [i, node] of path.entries()) {
        if (!this.running.value) break;
        const options = this.#asked.get(node);
        if (node.how === 'drawn' && options) await this.#grow(options, 'drawn', kind);
        else await this.#force(node.token, node.how, kind);
        if (this.tree.value.at !== node) {
          differs = i;
          break;
        }
        await painted();
      }
      this.replayed.value = { n: this.path.value.length, differs };
      this.running.value = false;
      this.history.value = trees.settled(this.history.value);
    });
  }
}
