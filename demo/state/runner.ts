/** Generation: single tokens, runs, tokens that the user chooses, and the check that generates the
 *  text again. Each token is added to the tree of the text. */
import { signal } from '@preact/signals';
import type { StageName } from 'tokenglass';
import type { TextDocument } from './document.js';
import type { Inspector } from './inspector.js';
import type { ChoiceOptions } from './sampler.js';
import type { Services } from './services.js';
import { tokenTextsOf } from './token-texts.js';
import type { Origin, Tree, TreeNode } from './tree.js';
import * as trees from './tree.js';

const POLL_MS = 40; // a slow run checks this often whether it must end
/** A run without a speed limit generates for this time between two updates of the page. */
const BURST_MS = 40;

/** Resolves after the screen shows the last change. */
const nextPaint = () =>
  new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** The result of a check. */
export interface Checked {
  /** Number of tokens that were generated. */
  n: number;
  /** Index in the text of the first token that differs; undefined: all are the same. */
  differs: number | undefined;
}

export class Runner {
  /** Maximum tokens a second; Infinity: no maximum. */
  readonly speed = signal(Infinity);
  /** Tokens a second of the last run: the engine's time, without the page's. */
  readonly rate = signal(0);
  readonly checked = signal<Checked | undefined>(undefined);

  readonly #services: Services;
  readonly #document: TextDocument;
  readonly #inspector: Inspector;
  #n_runs = 0; // numbers the steps of the history

  constructor(services: Services, document: TextDocument, inspector: Inspector) {
    this.#services = services;
    this.#document = document;
    this.#inspector = inspector;
  }

  /** The signal of the status: true while a run should go on. */
  get running() {
    return this.#services.status.running;
  }

  /** Adds a job after what the user has typed. */
  #add(job: () => Promise<void>): Promise<void> {
    this.#document.flush();
    return this.#services.queue.add(job);
  }

  /** Generates at the end of the session, at most max_tokens, until `more` says no, and adds the
   *  tokens to a tree. */
  async #generate(
    tree: Tree,
    options: ChoiceOptions,
    how: Origin,
    max_tokens: number,
    more: () => boolean,
  ): Promise<Tree> {
    const { engine } = this.#services;
    const texts = await tokenTextsOf(engine.model.value!);
    const request = { ...options, max_tokens, trace: false as const };
    let grown = tree;
    for await (const step of engine.session!.generate(undefined, request)) {
      const { token, bytes, logprob, rank, entropy, eog } = step;
      const text = texts[token]!;
      grown = trees.addToken(grown, { token, bytes, text, logprob, rank, entropy, how, eog });
      if (how === 'drawn') this.#document.setOptions(grown.current!, options);
      if (!more()) break;
    }
    return grown;
  }

  /** The options of the next choice, and how many tokens can follow with them: the format has a
   *  mask for one token, and a window ends. */
  async #nextOptions(path: readonly TreeNode[]): Promise<{ options: ChoiceOptions; room: number }> {
    const { windows } = this.#services.engine;
    const options = await this.#document.optionsAt(path, path.length);
    const room = options.grammar ? 1 : windows.endOf(options.sample_index) - path.length;
    return { options, room };
  }

  /** Makes the session hold the window of the end of the text, when a new window begins there. */
  async #slideIfFull(path: readonly TreeNode[]): Promise<void> {
    const { engine } = this.#services;
    if (engine.session!.tokens.length < engine.model.value!.info.n_ctx) return;
    await engine.holdEnd(trees.idsOf(path));
  }

  /** Adds tokens by `grow` to the text. The page shows the tokens and the next choice at the same
   *  time. Does nothing when the user has moved to another text; returns whether a token was
   *  added. */
  async #extend(grow: (before: Tree) => Promise<Tree>, kind: string): Promise<boolean> {
    const document = this.#document;
    const inspector = this.#inspector;
    const before = document.tree.value;
    if (!document.isSynced()) return false;
    const isCurrent = () => document.tree.value === before && !document.pending;
    document.setSynced(undefined);
    const after = await grow(before);
    if (!isCurrent()) return false;
    const path = trees.pathTo(after.current);
    await this.#slideIfFull(path);
    let added = false;
    await inspector.show({ path, index: undefined }, () => {
      if (!isCurrent()) return;
      document.addStep(after, kind);
      document.setSynced(after);
      document.updatePhase();
      inspector.selected.value = undefined;
      added = true;
    });
    return added;
  }

  /** Draws tokens with the present settings, for this time; at least one token. Returns the
   *  engine's time and the number of tokens. */
  async #draw(milliseconds: number, kind = ''): Promise<{ n: number; engineMs: number }> {
    const { status } = this.#services;
    let n = 0;
    let engineMs = 0;
    if (status.phase.value !== 'ready') return { n, engineMs };
    const start = performance.now();
    const inTime = () => performance.now() - start < milliseconds;
    const added = await this.#extend(async (before) => {
      let tree = before;
      do {
        const path = trees.pathTo(tree.current);
        await this.#slideIfFull(path);
        const { options, room } = await this.#nextOptions(path);
        const begin = performance.now();
        const more = () => inTime() && this.running.value;
        tree = await this.#generate(tree, options, 'drawn', milliseconds > 0 ? room : 1, more);
        engineMs += performance.now() - begin;
      } while (inTime() && this.running.value && this.#canFollow(tree));
      n = (tree.current?.depth ?? 0) - (before.current?.depth ?? 0);
      return tree;
    }, kind);
    return added ? { n, engineMs } : { n: 0, engineMs };
  }

  /** Whether a token can follow the end of a tree's text. */
  #canFollow({ current }: Tree): boolean {
    const { n_ctx } = this.#services.engine.model.value!.info;
    if (current?.eog) return false;
    return this.#document.sliding.value || (current?.depth ?? 0) < n_ctx;
  }

  /** Adds a given token to a tree. */
  #give(tree: Tree, token: number, how: Origin): Promise<Tree> {
    const samplers: StageName[] = ['allowed_tokens'];
    const options = { samplers, allowed_tokens: [token], sample_index: 0 };
    return this.#generate(tree, options, how, 1, () => false);
  }

  /** Draws one token. */
  step(): Promise<void> {
    this.pause();
    return this.#add(async () => void (await this.#draw(0)));
  }

  /** Draws tokens until pause, an end token or a full context. A run is one step of the history. */
  run(): Promise<void> {
    const { status } = this.#services;
    const kind = `run ${++this.#n_runs}`;
    status.startRun();
    return this.#add(async () => {
      let tokens = 0;
      let busyMs = 0;
      while (this.running.value && status.phase.value === 'ready') {
        const start = performance.now();
        const { n, engineMs } = await this.#draw(this.#isLimited() ? 0 : BURST_MS, kind);
        tokens += n;
        busyMs += engineMs;
        if (busyMs > 0) this.rate.value = (tokens / busyMs) * 1000;
        await nextPaint();
        const due = this.#isLimited() ? start + 1000 / this.speed.value : start;
        while (this.running.value && performance.now() < due)
          await sleep(Math.min(POLL_MS, due - performance.now()));
      }
      this.running.value = false;
    });
  }

  #isLimited(): boolean {
    return Number.isFinite(this.speed.value);
  }

  /** Goes on with a text that fills the context: the model sees the end of the text only. */
  slide(): Promise<void> {
    this.#document.sliding.value = true;
    this.#document.updatePhase();
    return this.run();
  }

  /** Ends a run. The token that is in progress is still added. */
  pause(): void {
    this.running.value = false;
  }

  /** Ends a run and moves to a node of the tree. */
  goTo(node: TreeNode | undefined): Promise<void> {
    this.pause();
    return this.#document.goTo(node);
  }

  /** Ends a run and moves to the end of what was typed. */
  restart(): Promise<void> {
    const document = this.#document;
    document.sliding.value = false;
    return this.goTo(document.path.value[document.typedLength.value - 1]);
  }

  /** Continues the text with a candidate of the choice on the page. A new branch starts there, and
   *  the old branch is kept. */
  branch(token: number): Promise<void> {
    const { engine, status } = this.#services;
    const document = this.#document;
    const inspector = this.#inspector;
    this.pause();
    return this.#add(async () => {
      if (!inspector.table.value || !engine.session || !document.isSynced()) return;
      const path = document.path.value;
      const index = inspector.selected.value ?? path.length;
      if (path[index]?.token === token) return inspector.selectNow(index + 1);
      if (status.phase.value === 'full' && index === path.length) return;
      const from = trees.moveTo(document.tree.value, path[index - 1]);
      const existing = trees.childOf(from, from.current, token);
      const kind = `branch ${++this.#n_runs}`;
      const to = existing ? trees.moveTo(from, trees.tipThrough(from, existing)) : from;
      document.addStep(to, kind);
      inspector.selected.value = undefined;
      this.checked.value = undefined;
      await document.sync();
      if (!existing && status.phase.value !== 'failed')
        await this.#extend((tree) => this.#give(tree, token, 'chosen'), kind);
      document.endStep();
    });
  }

  /** Generates the output on the page again, each token as it was generated before, and reports
   *  whether the same tokens came. An edit by the user ends the check without a report. */
  check(): Promise<void> {
    const { status } = this.#services;
    const document = this.#document;
    const inspector = this.#inspector;
    this.pause();
    return this.#add(async () => {
      const path = document.path.value;
      const n_typed = document.typedLength.value;
      if (path.length === n_typed || status.phase.value === 'failed') return;
      this.checked.value = undefined;
      status.startRun();
      const kind = `check ${++this.#n_runs}`;
      document.addStep(trees.moveTo(document.tree.value, path[n_typed - 1]), kind);
      inspector.selected.value = undefined;
      await document.sync();
      await this.#generateAgain(path.slice(n_typed), kind);
      this.running.value = false;
      document.endStep();
    });
  }

  async #generateAgain(output: readonly TreeNode[], kind: string): Promise<void> {
    const document = this.#document;
    let differs: number | undefined;
    let n = 0;
    while (n < output.length && differs === undefined && this.running.value) {
      const start = performance.now();
      const added = await this.#extend(async (before) => {
        let tree = before;
        do {
          const node = output[n]!;
          tree = await this.#again(tree, node);
          if (tree.current !== node) differs = node.depth - 1;
          n++;
        } while (
          n < output.length &&
          differs === undefined &&
          this.running.value &&
          performance.now() - start < BURST_MS
        );
        return tree;
      }, kind);
      if (!added) return;
      await nextPaint();
    }
    if (document.isSynced()) this.checked.value = { n, differs };
  }

  /** Generates the token of a node again. */
  async #again(tree: Tree, node: TreeNode): Promise<Tree> {
    await this.#slideIfFull(trees.pathTo(tree.current));
    const options = this.#document.optionsOf(node);
    if (options) return this.#generate(tree, options, 'drawn', 1, () => false);
    return this.#give(tree, node.token, node.how === 'typed' ? 'chosen' : node.how);
  }
}
