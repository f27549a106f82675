/** Generation: one token, a run of tokens, a token that the user chooses, and a replay of the
 *  text. */
import { signal } from '@preact/signals';
import type { SamplerOptions } from 'tokenglass';
import type { TextDocument } from './document.js';
import type { Inspector } from './inspector.js';
import type { Services } from './services.js';
import { tokenTextsOf } from './token-texts.js';
import type { GeneratedToken, Origin, Tree, TreeNode } from './tree.js';
import * as trees from './tree.js';

const POLL_MS = 40; // a slow run checks this often whether it must end

/** Resolves after the screen shows the last change, so that a run does not count drawing as the
 *  model's time. */
const nextPaint = () =>
  new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** The result of a replay. */
export interface Replayed {
  /** Number of tokens that were generated. */
  n: number;
  /** Index in the path of the first token that differs; undefined: all are the same. */
  differs: number | undefined;
}

export class Runner {
  /** Maximum tokens a second; Infinity: no maximum. */
  readonly speed = signal(Infinity);
  /** Tokens a second of the last run, traces included, waits for the screen not included. */
  readonly rate = signal(0);
  readonly replayed = signal<Replayed | undefined>(undefined);

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

  /** Generates one token at the end of the session. */
  async #generate(options: SamplerOptions, how: Origin): Promise<GeneratedToken> {
    const { engine } = this.#services;
    const request = { ...options, max_tokens: 1, trace: false as const };
    for await (const step of engine.session!.generate(undefined, request)) {
      const { token, bytes, logprob, rank, entropy, eog } = step;
      const text = (await tokenTextsOf(engine.model.value!))[token]!;
      return { token, bytes, text, logprob, rank, entropy, how, eog };
    }
    throw new Error('the model returned no token');
  }

  /** Generates one token and adds it to the tree. The page shows the token and the next choice at
   *  the same time. Does nothing when the user has moved to another text; returns whether a token
   *  was added. */
  async #grow(options: SamplerOptions, how: Origin, kind: string): Promise<boolean> {
    const document = this.#document;
    const inspector = this.#inspector;
    const before = document.tree.value;
    if (!document.isSynced()) return false;
    document.setSynced(undefined);
    const generated = await this.#generate(options, how);
    if (document.tree.value !== before) return false;
    const after = trees.addToken(before, generated);
    if (how === 'drawn') document.setOptions(after.current!, options);
    const position = {
      promptIds: document.promptIds.value,
      path: trees.pathTo(after.current),
      index: undefined,
    };
    let added = false;
    await inspector.show(position, () => {
      if (document.tree.value !== before) return;
      document.addStep(after, kind);
      document.setSynced(after);
      document.updatePhase();
      inspector.selected.value = undefined;
      added = true;
    });
    return added;
  }

  /** Draws the next token with the present settings. */
  async #draw(kind = ''): Promise<void> {
    const { sampler, status } = this.#services;
    const document = this.#document;
    if (status.phase.value !== 'ready') return;
    const tokens = document.path.value.map(({ token }) => token);
    await this.#grow(await sampler.optionsAfter(tokens), 'drawn', kind);
  }

  /** Adds a given token at the end of the path. */
  #append(token: number, how: Origin, kind: string): Promise<boolean> {
    return this.#grow({ samplers: ['allowed_tokens'], allowed_tokens: [token] }, how, kind);
  }

  step(): Promise<void> {
    this.pause();
    return this.#add(() => this.#draw());
  }

  /** Draws tokens until pause, an end token or a full context. A run is one step of the history. */
  run(): Promise<void> {
    const { status } = this.#services;
    const kind = `run ${++this.#n_runs}`;
    this.running.value = true;
    return this.#add(async () => {
      let busyMs = 0;
      for (let n = 1; this.running.value && status.phase.value === 'ready'; n++) {
        const start = performance.now();
        await this.#draw(kind);
        busyMs += performance.now() - start;
        this.rate.value = (n / busyMs) * 1000;
        await nextPaint();
        const due = start + 1000 / this.speed.value;
        while (this.running.value && performance.now() < due)
          await sleep(Math.min(POLL_MS, due - performance.now()));
      }
      this.running.value = false;
    });
  }

  /** Ends a run. The token that is in progress is still added. */
  pause(): void {
    this.running.value = false;
  }

  /** Moves to the end of the prompt, and picks a new seed unless the seed is locked. */
  reset(): Promise<void> {
    const { sampler } = this.#services;
    const document = this.#document;
    // the new seed is shown and can be shared, so it need not be reproducible itself
    if (!sampler.locked.value) sampler.seed.value = Math.floor(Math.random() * 2 ** 32);
    return document.tree.value.current ? document.goTo(undefined) : document.refresh();
  }

  /** Continues the text with a candidate of the choice on the page. A new path starts there, and
   *  the old path is kept. */
  branch(token: number): Promise<void> {
    const { engine, status } = this.#services;
    const document = this.#document;
    const inspector = this.#inspector;
    this.pause();
    return this.#add(async () => {
      if (!inspector.trace.value || !engine.session || !document.isSynced()) return;
      const tree = document.tree.value;
      const { index = Infinity } = inspector.position();
      if (document.tokensTo()[index] === token) return inspector.selectNow(index + 1);
      if (status.phase.value === 'full' && index === Infinity) return;
      const from = await this.#treeBefore(index);
      if (document.tree.value !== tree) return; // the user moved to another text
      const existing = trees.childrenOf(from, from.current).find((child) => child.token === token);
      const kind = `branch ${++this.#n_runs}`;
      document.addStep(
        existing ? trees.moveTo(from, trees.tipThrough(from, existing)) : from,
        kind,
      );
      inspector.selected.value = undefined;
      this.replayed.value = undefined;
      await document.sync();
      if (!existing && status.phase.value !== 'failed') await this.#append(token, 'chosen', kind);
      document.endStep();
    });
  }

  /** The tree at the node before a token of the text. A position inside the prompt gets a tree of
   *  its own, because a tree has one prompt. */
  async #treeBefore(index: number): Promise<Tree> {
    const { engine } = this.#services;
    const document = this.#document;
    const { tree, path, promptIds } = document;
    const n_prompt = promptIds.value.length;
    if (index >= n_prompt) {
      const n_kept = Math.min(index - n_prompt, path.value.length);
      return trees.moveTo(tree.value, path.value[n_kept - 1]);
    }
    const ids = promptIds.value.slice(0, index);
    return trees.createTree({ text: await engine.model.value!.detokenize(ids), ids });
  }

  /** Generates the path on the page again, each token as it was generated before, and reports
   *  whether the same tokens came. An edit by the user ends the replay without a report. */
  replay(): Promise<void> {
    const { status } = this.#services;
    const document = this.#document;
    const inspector = this.#inspector;
    this.pause();
    return this.#add(async () => {
      const path = document.path.value;
      if (path.length === 0 || status.phase.value === 'failed') return;
      this.replayed.value = undefined;
      this.running.value = true;
      const kind = `replay ${++this.#n_runs}`;
      document.addStep(trees.moveTo(document.tree.value, undefined), kind);
      inspector.selected.value = undefined;
      await document.sync();
      await this.#replayPath(path, kind);
      this.running.value = false;
      document.endStep();
    });
  }

  async #replayPath(path: readonly TreeNode[], kind: string): Promise<void> {
    const document = this.#document;
    let differs: number | undefined;
    for (const [i, node] of path.entries()) {
      if (!this.running.value) break;
      const options = document.optionsOf(node);
      const added = options
        ? await this.#grow(options, 'drawn', kind)
        : await this.#append(node.token, node.how, kind);
      if (!added) return;
      if (document.tree.value.current !== node) {
        differs = i;
        break;
      }
      await nextPaint();
    }
    if (document.isSynced()) this.replayed.value = { n: document.path.value.length, differs };
  }
}
