/** The text: the tree of everything that was generated, its undo history, and the tokens and scores
 *  of the prompt. The text changes at once when the user edits it. A job in the queue then makes
 *  the model's session hold the new text (`sync`). */
import { batch, computed, signal } from '@preact/signals';
import type { SamplerOptions, TokenScore } from 'tokenglass';
import { displayTokens } from './display-tokens.js';
import { sameIds } from './engine.js';
import type { Services } from './services.js';
import type { History, Root, Tree, TreeNode } from './tree.js';
import * as trees from './tree.js';

export const DEFAULT_PROMPT = 'Once upon a time there was a little girl who';
const TYPING_MS = 120; // the page runs the prompt after a pause of this length

/** A position of a text: before the token with this index. undefined is the end of the text. */
export interface Position {
  promptIds: readonly number[];
  path: readonly TreeNode[];
  index: number | undefined;
}

/** What follows from a change of the text. */
interface DocumentListener {
  /** Called, inside a batch, when the user edits the text. */
  edited(): void;
  /** Shows the choice at a position. `change` runs together with the update of the page. */
  show(position: Position, change: () => void): Promise<void>;
  /** Shows no choice. */
  clear(): void;
}

/** What waits for the end of the user's typing. */
interface Typing {
  timer: ReturnType<typeof setTimeout>;
  release: () => void;
}

export class TextDocument {
  readonly history = signal<History>(trees.start({ text: DEFAULT_PROMPT }));
  readonly tree = computed<Tree>(() => this.history.value.now);
  readonly prompt = computed(() => this.tree.value.root.text);
  /** The nodes from the prompt to the end of the text. */
  readonly path = computed<TreeNode[]>(() => trees.pathTo(this.tree.value.current));
  readonly promptIds = signal<readonly number[]>([]);
  /** The scores of the prompt's tokens; undefined until they are computed. */
  readonly scores = signal<readonly TokenScore[] | undefined>(undefined);
  /** The text, token by token. */
  readonly display = computed(() =>
    displayTokens(
      this.prompt.value,
      this.promptIds.value.length,
      this.scores.value,
      this.path.value,
    ),
  );
  /** For each node of the path, the number of paths that start there. */
  readonly forks = computed(() => trees.forksOn(this.tree.value, this.path.value));
  readonly canUndo = computed(() => this.history.value.past.length > 0);
  readonly canRedo = computed(() => this.history.value.future.length > 0);

  readonly #services: Services;
  readonly #listener: DocumentListener;
  readonly #options = new WeakMap<TreeNode, SamplerOptions>();
  #typing: Typing | undefined;
  #scoring: AbortController | undefined;
  #synced: { root: Root; current: TreeNode | undefined } | undefined;

  constructor(services: Services, listener: DocumentListener) {
    this.#services = services;
    this.#listener = listener;
  }

  /** The first `length` tokens of the text; all of them when length is undefined. */
  tokensTo(length?: number): number[] {
    return [...this.promptIds.value, ...this.path.value.map(({ token }) => token)].slice(0, length);
  }

  /** The options with which the sampler drew a node; undefined for other nodes. */
  optionsOf(node: TreeNode): SamplerOptions | undefined {
    return node.how === 'drawn' ? this.#options.get(node) : undefined;
  }

  /** Notes the options with which a node was drawn. The first options stay. */
  setOptions(node: TreeNode, options: SamplerOptions): void {
    if (!this.#options.has(node)) this.#options.set(node, options);
  }

  // ---- edits

  setPrompt(text: string): void {
    this.#cancelTyping();
    this.#change(trees.addStep(this.history.value, trees.createTree({ text }), 'typing'));
    this.#typing = {
      timer: setTimeout(() => this.flush(), TYPING_MS),
      release: this.#services.queue.hold(),
    };
  }

  /** Starts a conversation. The text ends where the assistant's answer starts. */
  setChat(chat: NonNullable<Root['chat']>): Promise<void> {
    return this.#show(this.#withRoot({ text: '', chat }));
  }

  undo(): Promise<void> {
    return this.#show(trees.undo(this.history.value));
  }

  redo(): Promise<void> {
    return this.#show(trees.redo(this.history.value));
  }

  /** Moves to a node of the tree; undefined moves to the end of the prompt. */
  goTo(node: TreeNode | undefined): Promise<void> {
    return this.#show(trees.addStep(this.history.value, trees.moveTo(this.tree.value, node)));
  }

  /** Keeps only the path on the page. */
  prune(): Promise<void> {
    return this.#show(trees.addStep(this.history.value, trees.prune(this.tree.value)));
  }

  /** Computes and shows the choice at the end of the text again. */
  refresh(): Promise<void> {
    return this.#show(this.history.value);
  }

  /** Replaces the prompt. The caller adds the job that syncs the new text. */
  replaceRoot(root: Root): void {
    this.#cancelTyping();
    this.#change(this.#withRoot(root));
  }

  /** Starts the history again with this root. */
  restart(root: Root): void {
    this.history.value = trees.start(root);
  }

  #withRoot(root: Root): History {
    return trees.addStep(trees.endStep(this.history.value), trees.createTree(root));
  }

  /** Changes the tree at once. A run ends, and the page shows the next choice again. */
  #change(history: History): void {
    const { engine, status } = this.#services;
    status.running.value = false;
    this.#scoring?.abort();
    batch(() => {
      this.history.value = history;
      this.#listener.edited();
      if (engine.session) status.phase.value = 'ready';
    });
  }

  #show(history: History): Promise<void> {
    this.#cancelTyping();
    this.#change(trees.endStep(history));
    return this.#services.queue.add(() => this.sync());
  }

  /** Stops waiting for the end of the typing. Returns whether the user was typing. */
  #cancelTyping(): boolean {
    if (!this.#typing) return false;
    clearTimeout(this.#typing.timer);
    this.#typing.release();
    this.#typing = undefined;
    return true;
  }

  /** Ends the typing now. A prompt that was typed is synced before any job that is added later. */
  flush(): void {
    this.endStep();
    if (this.#cancelTyping()) void this.#services.queue.add(() => this.sync());
  }

  // ---- inside jobs of the queue

  /** Replaces the present tree without a new step of the history. */
  replaceTree(now: Tree): void {
    this.history.value = { ...this.history.value, now };
  }

  /** Adds a tree to the history. */
  addStep(tree: Tree, kind: string): void {
    this.history.value = trees.addStep(this.history.value, tree, kind);
  }

  endStep(): void {
    this.history.value = trees.endStep(this.history.value);
  }

  /** Whether the model's session holds the text of the tree. When it does not, a job that syncs the
   *  text is in the queue or follows the typing. */
  isSynced(): boolean {
    const { root, current } = this.tree.value;
    return this.#synced?.root === root && this.#synced.current === current;
  }

  /** Notes the tree whose text the model's session holds; undefined while the session changes. */
  setSynced(tree: Tree | undefined): void {
    this.#synced = tree && { root: tree.root, current: tree.current };
  }

  /** Makes the model's session hold the text, and shows the choice at its end. When this fails, the
   *  page shows no choice. */
  async sync(): Promise<void> {
    const { engine, queue, status } = this.#services;
    if (!engine.session) return; // no model; the status says why
    const { root } = this.tree.value;
    try {
      const ids = await engine.idsOf(root);
      const tree = this.tree.value;
      if (tree.root !== root) return; // the user typed another prompt, which is synced next
      const path = trees.pathTo(tree.current);
      await engine.session.sync([...ids, ...path.map(({ token }) => token)]);
      this.setSynced(tree);
      await this.#listener.show({ promptIds: ids, path, index: undefined }, () => {
        if (!sameIds(ids, this.promptIds.value)) this.scores.value = undefined;
        this.promptIds.value = ids;
      });
    } catch (error) {
      batch(() => {
        this.setSynced(undefined);
        this.#listener.clear();
        this.scores.value = undefined;
        this.promptIds.value = [];
      });
      throw error;
    }
    status.failure.value = '';
    this.updatePhase();
    if (!this.scores.value) void queue.add(() => this.#score());
  }

  /** Sets the phase from the end of the text. */
  updatePhase(): void {
    const { engine, status } = this.#services;
    const full = this.tokensTo().length >= engine.model.value!.info.n_ctx;
    const ended = this.tree.value.current?.eog;
    status.phase.value = ended ? 'ended' : full ? 'full' : 'ready';
  }

  /** Scores the prompt's tokens. Typing aborts it. */
  async #score(): Promise<void> {
    const { engine } = this.#services;
    const ids = this.promptIds.value;
    if (this.scores.value || ids.length === 0 || this.#typing) return;
    this.#scoring = new AbortController();
    try {
      const model = engine.model.value!;
      const scores = await model.score(ids, { signal: this.#scoring.signal });
      if (ids !== this.promptIds.value) return;
      this.scores.value = scores;
      engine.decoded.value = (await model.stats()).decoded_tokens;
    } catch (error) {
      if (!this.#scoring.signal.aborted) throw error;
    } finally {
      this.#scoring = undefined;
    }
  }
}
