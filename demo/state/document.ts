/** The text: the tree of all texts, the path on the page, and what was typed. The text changes at
 *  once when the user edits it. A job in the queue then finds its tokens, runs those that are new,
 *  and makes the model's session hold the text (`sync`). */
import { batch, computed, signal } from '@preact/signals';
import type { ChatMessage, TokenScore } from 'tokenglass';
import { isControl } from '../format.js';
import type { DisplayToken } from './display-tokens.js';
import { asOutput, displayTokens, textOf, withoutEnd } from './display-tokens.js';
import { charOffsets, commonLength, editedIds } from './edits.js';
import type { History, Moment, Pending } from './history.js';
import type { ChoiceOptions } from './sampler.js';
import type { Services } from './services.js';
import type { Origin, TextToken, Tree, TreeNode } from './tree.js';
import * as trees from './tree.js';

const TYPING_MS = 120; // the page runs a typed text after a pause of this length
const PART = 128; // tokens of a long text that are run before the page shows them

/** A position of a text: before the token with this index. undefined is the end of the text. */
export interface Position {
  path: readonly TreeNode[];
  index: number | undefined;
}

/** What follows from a change of the text. */
interface DocumentListener {
  /** Called, inside a batch, when the user edits the text. */
  edited(): void;
  /** Shows the choice at a position. `change` runs together with the update of the page. */
  show(position: Position, change: () => void): Promise<void>;
  /** Shows the choice on the page again, after a change of the settings. */
  refresh(): void;
  /** Shows no choice. */
  clear(): void;
}

/** What waits for the end of the user's typing. */
interface Typing {
  timer: ReturnType<typeof setTimeout>;
  release: () => void;
}

/** The tokens of a text that is about to be shown. */
interface Wanted {
  ids: readonly number[];
  /** Number of tokens up to the last typed one. */
  n_typed: number;
  /** How the token with this index came into the text. */
  how: (index: number) => Origin;
  chat?: readonly ChatMessage[] | undefined;
}

export class TextDocument {
  readonly tree = computed<Tree>(() => this.#history.now.value.tree);
  /** All tokens of the text on the page. */
  readonly path = computed<TreeNode[]>(() => trees.pathTo(this.tree.value.current));
  readonly #pending = computed<Pending | undefined>(() => this.#history.now.value.pending);
  readonly #shown = computed(() => {
    const shown = displayTokens(this.path.value, this.#services.engine.dropsSpace);
    const n_typed = this.typedLength.value;
    return [...shown.slice(0, n_typed), ...shown.slice(n_typed).map(asOutput)];
  });
  /** The tokens that are known and fit the text. */
  readonly tokens = computed<readonly DisplayToken[]>(() => {
    const pending = this.#pending.value;
    if (!pending) return this.#shown.value;
    const shown = withoutEnd(this.#shown.value);
    const length = commonLength(textOf(shown), pending.text);
    const end = shown.findIndex(({ start, text }) => start + text.length > length);
    return end < 0 ? shown : shown.slice(0, end);
  });
  /** The end of the text, which has no tokens yet. */
  readonly rest = computed(() => {
    const last = this.tokens.value.at(-1);
    return this.#pending.value?.text.slice(last ? last.start + last.text.length : 0) ?? '';
  });
  /** The text as the user sees, edits and copies it. */
  readonly text = computed(() => this.#pending.value?.text ?? textOf(this.#shown.value));
  /** The conversation whose answer the text is. */
  readonly chat = computed(
    () => this.#pending.value?.chat ?? this.path.value.findLast(({ chat }) => chat)?.chat,
  );
  /** False for a text with control tokens inside: they have no characters that could be edited. */
  readonly editable = computed(() => {
    if (this.chat.value) return false;
    const path = this.path.value;
    const begin = path.findIndex((node) => !isControl(node));
    const end = path.findLastIndex((node) => !isControl(node));
    return !path.slice(Math.max(begin, 0), end + 1).some(isControl);
  });
  /** Number of tokens up to the last typed one; the output follows them. */
  readonly typedLength = computed(() => this.typedLengthOf(this.path.value));
  /** For each node of the path, the number of branches that start there. */
  readonly forks = computed(() => trees.forksOn(this.tree.value, this.path.value));
  /** True when the model reads a text that is longer than its context in windows. */
  readonly sliding = signal(false);
  readonly canUndo;
  readonly canRedo;

  readonly #services: Services;
  readonly #history: History;
  readonly #listener: DocumentListener;
  readonly #options = new WeakMap<TreeNode, ChoiceOptions>();
  #typing: Typing | undefined;
  #running: AbortController | undefined; // of a long text
  #synced: Pick<Moment, 'tree' | 'pending'> | undefined;

  constructor(services: Services, history: History, listener: DocumentListener) {
    this.#services = services;
    this.#history = history;
    this.#listener = listener;
    this.canUndo = history.canUndo;
    this.canRedo = history.canRedo;
  }

  /** The first `length` tokens of the text; all of them when length is undefined. */
  tokensTo(length?: number): number[] {
    return trees.idsOf(this.path.value.slice(0, length));
  }

  /** The number of tokens of a path up to the last typed one. */
  typedLengthOf(path: readonly TreeNode[]): number {
    return trees.typedLength(path, this.#history.now.value.typed);
  }

  /** The sampler's options for the token of a path with this index. */
  optionsAt(path: readonly TreeNode[], index: number): Promise<ChoiceOptions> {
    const { engine, sampler } = this.#services;
    const output = trees.idsOf(path.slice(this.typedLengthOf(path), index));
    return sampler.optionsAfter(output, engine.windows.numberOf(index));
  }

  /** The options with which the sampler drew a node; undefined for other nodes. */
  optionsOf(node: TreeNode): ChoiceOptions | undefined {
    return this.#options.get(node);
  }

  /** Notes the options with which a node was drawn. The first options stay. */
  setOptions(node: TreeNode, options: ChoiceOptions): void {
    if (!this.#options.has(node)) this.#options.set(node, options);
  }

  // ---- edits

  /** Edits the text. The edited text is a branch: the text of before stays in the tree. */
  setText(text: string): void {
    const release = this.#services.queue.hold();
    this.#cancelTyping();
    // a burst of typing is one step and one branch: it begins with the tree of before the burst
    const { tree } = this.#history.beforeTyping;
    this.#change(() => this.#history.add({ tree, pending: { text } }, 'typing'));
    this.#typing = {
      timer: setTimeout(() => this.flush(), TYPING_MS),
      release,
    };
  }

  /** Starts a conversation. The text ends where the assistant's answer starts. */
  setChat(chat: readonly ChatMessage[]): Promise<void> {
    return this.#show(() => this.#history.add({ pending: { text: '', chat } }));
  }

  /** Takes the last step back. The branches that the step made stay in the tree. */
  undo(): Promise<void> {
    return this.#move(() => {
      const undone = this.tree.value;
      this.#history.undo();
      const tree = trees.withBranches(this.tree.value, undone);
      if (tree !== this.tree.value) this.#history.replace({ tree });
    });
  }

  redo(): Promise<void> {
    return this.#move(() => this.#history.redo());
  }

  /** Moves in the history. The model runs only when the text changes. */
  #move(move: () => void): Promise<void> {
    this.flush();
    const { tree, pending } = this.#history.now.value;
    move();
    const now = this.#history.now.value;
    if (now.tree !== tree || now.pending !== pending) return this.#show(() => undefined);
    this.#listener.refresh();
    return this.#services.queue.add(async () => undefined);
  }

  /** Moves to a node of the tree; undefined moves to the beginning of the text. */
  goTo(node: TreeNode | undefined): Promise<void> {
    return this.#show(() =>
      this.#history.add({ tree: trees.moveTo(this.tree.value, node), pending: undefined }),
    );
  }

  /** Deletes all branches except the one on the page. */
  prune(): Promise<void> {
    return this.#show(() => this.#history.add({ tree: trees.prune(this.tree.value) }));
  }

  /** Replaces the text. The caller adds the job that syncs the new text. */
  replace(pending: Pending): void {
    this.#cancelTyping();
    this.#history.endStep();
    this.#change(() => this.#history.add({ pending }));
  }

  /** Starts the history again with this text and no tree. */
  restart(pending: Pending): void {
    this.sliding.value = false;
    this.#history.restart({ tree: trees.EMPTY_TREE, typed: undefined, pending });
  }

  /** Changes the history at once. A run ends, and the page shows the next choice again. */
  #change(change: () => void): void {
    const { engine, status } = this.#services;
    status.running.value = false;
    this.#running?.abort();
    batch(() => {
      change();
      this.#listener.edited();
      if (engine.session) status.phase.value = 'ready';
    });
  }

  #show(change: () => void): Promise<void> {
    this.#cancelTyping();
    this.#change(() => {
      this.#history.endStep();
      change();
    });
    return this.#services.queue.add(() => this.sync());
  }

  /** Stops waiting for the end of the typing, after `then` when the user was typing. The queue
   *  stays busy until then. */
  #cancelTyping(then = () => {}): void {
    const typing = this.#typing;
    if (!typing) return;
    this.#typing = undefined;
    clearTimeout(typing.timer);
    then();
    typing.release();
  }

  /** Ends the typing now. A text that was typed is synced before any job that is added later. */
  flush(): void {
    this.#history.endStep();
    this.#cancelTyping(() => void this.#services.queue.add(() => this.sync()));
  }

  // ---- inside jobs of the queue

  /** Replaces what the text will become without a new step of the history. */
  replacePending(pending: Pending): void {
    this.#history.replace({ pending });
  }

  /** The pending text; undefined when the text has its tokens. */
  get pending(): Pending | undefined {
    return this.#pending.value;
  }

  /** Adds a tree to the history. The typed tokens that are on its path stay typed. */
  addStep(tree: Tree, kind: string): void {
    const { current } = tree;
    const { typed } = this.#history.now.value;
    const isBefore = current && typed && current.depth < typed.depth;
    this.#history.add({ tree, typed: isBefore ? current : typed, pending: undefined }, kind);
  }

  endStep(): void {
    this.#history.endStep();
  }

  /** Whether the model's session holds the text of the tree. When it does not, a job that syncs the
   *  text is in the queue or follows the typing. */
  isSynced(): boolean {
    const { tree, pending } = this.#history.now.value;
    return (
      this.#synced !== undefined &&
      this.#synced.tree.current === tree.current &&
      this.#synced.pending === pending
    );
  }

  /** Notes that the model's session holds this tree's text; undefined while the session changes. */
  setSynced(tree: Tree | undefined): void {
    this.#synced = tree && { tree, pending: undefined };
  }

  /** Makes the model's session hold the text, and shows the choice at its end. When this fails, the
   *  page shows no choice. */
  async sync(): Promise<void> {
    const { engine, status } = this.#services;
    if (!engine.session) return; // no model; the status says why
    this.setSynced(undefined);
    try {
      const isDone = this.#pending.value ? await this.#settle() : await this.#hold();
      if (!isDone) return; // the user changed the text, which is synced next
    } catch (error) {
      batch(() => {
        this.setSynced(undefined);
        this.#listener.clear();
      });
      throw error;
    }
    status.failure.value = '';
    this.updatePhase();
  }

  /** Makes the session hold the path on the page. Returns false when the user has moved on. */
  async #hold(): Promise<boolean> {
    const { engine } = this.#services;
    const { tree } = this.#history.now.value;
    const path = trees.pathTo(tree.current);
    await engine.holdEnd(trees.idsOf(path));
    if (this.tree.value !== tree || this.pending) return false;
    await this.#showEnd(tree, path, () => undefined);
    return true;
  }

  async #showEnd(tree: Tree, path: readonly TreeNode[], change: () => void): Promise<void> {
    this.setSynced(tree);
    if (path.length > 0) return this.#listener.show({ path, index: undefined }, change);
    batch(() => {
      this.#listener.clear(); // no token, no choice
      change();
    });
  }

  /** Finds the tokens of the pending text, runs the new ones and moves to the last one. Returns
   *  false when the user has edited the text meanwhile. */
  async #settle(): Promise<boolean> {
    const { engine } = this.#services;
    const { pending } = this.#history.now.value;
    const isCurrent = () => this.pending === pending;
    const wanted = await this.#wanted(pending!);
    if (!isCurrent()) return false;
    const { n_ctx, eos } = engine.model.value!.info;
    this.sliding.value = wanted.ids.length > n_ctx;
    this.#running = new AbortController();
    const { signal } = this.#running;
    const known = trees.lastKnown(this.tree.value, wanted.ids);
    let tree = trees.moveTo(this.#withoutBeginning(pending!.text, known), known);
    try {
      let at = known?.depth ?? 0;
      if (at === wanted.ids.length) await engine.holdEnd(wanted.ids);
      while (at < wanted.ids.length) {
        const scores = await this.#run(wanted.ids, at, signal);
        if (!isCurrent()) return false;
        for (const score of scores) tree = trees.addToken(tree, nodeOf(score, at++, wanted, eos));
        // a long text appears part by part
        if (at < wanted.ids.length) this.#history.replace({ tree });
      }
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      this.#running = undefined;
    }
    const path = trees.pathTo(tree.current);
    if (pending!.path) this.#noteOptions(path, wanted);
    await this.#showEnd(tree, path, () => {
      const typed = path[wanted.n_typed - 1];
      if (isCurrent()) this.#history.replace({ tree, typed, pending: undefined });
      else this.setSynced(undefined);
    });
    return this.isSynced();
  }

  /** The tree without the branch of the text of before, when the user has only typed on: its text
   *  is the beginning of the new one, cut into other tokens. */
  #withoutBeginning(text: string, known: TreeNode | undefined): Tree {
    const tree = this.tree.value;
    const { current } = tree;
    const before = textOf(this.#shown.value);
    const isBeginning = current?.how === 'typed' && current !== known && text.startsWith(before);
    if (!isBeginning || before === '') return tree;
    return { ...tree, tips: tree.tips.filter((tip) => tip !== current) };
  }

  /** The tokens of a pending text. */
  async #wanted({ text, chat, ids, path = [], chosen = [] }: Pending): Promise<Wanted> {
    if (chat) {
      const own = await this.#services.engine.idsOfChat(chat);
      return { ids: own, n_typed: own.length, how: () => 'typed', chat };
    }
    const own = ids ?? (await this.#idsOf(text));
    const how = (index: number): Origin =>
      index < own.length ? 'typed' : chosen.includes(index - own.length) ? 'given' : 'drawn';
    const n_typed = ids || path.length > 0 ? own.length : this.#typedOf(own);
    return { ids: [...own, ...path], n_typed, how };
  }

  /** The number of typed tokens of an edited text: all, unless the user has only deleted the end of
   *  what was drawn. */
  #typedOf(ids: readonly number[]): number {
    const isBeginning = ids.every((id, i) => id === this.path.value[i]?.token);
    return isBeginning ? Math.min(this.typedLength.value, ids.length) : ids.length;
  }

  /** The tokens of a typed text: those before the edit stay as they are. */
  async #idsOf(text: string): Promise<readonly number[]> {
    const model = this.#services.engine.model.value!;
    const own = charOffsets(text, await model.tokenOffsets(text));
    return editedIds(withoutEnd(this.#shown.value), text, own);
  }

  /** Runs a part of a text, from its token with index `at`, and returns the scores of the part. */
  async #run(
    ids: readonly number[],
    at: number,
    signal: AbortSignal,
  ): Promise<readonly TokenScore[]> {
    const { session, windows } = this.#services.engine;
    const window = windows.at(ids, at);
    const end = Math.min(ids.length, windows.endOf(window.number), at + PART);
    await session!.sync(window.ids);
    return session!.score(ids.slice(at, end), { signal });
  }

  /** Notes with which options the tokens of a link or a trace are said to be drawn. */
  #noteOptions(path: readonly TreeNode[], { ids, n_typed, how }: Wanted): void {
    const { engine, sampler } = this.#services;
    for (let i = n_typed; i < ids.length; i++)
      if (how(i) === 'drawn')
        this.setOptions(path[i]!, sampler.options(engine.windows.numberOf(i)));
  }

  /** Sets the phase from the end of the text. */
  updatePhase(): void {
    const { engine, status } = this.#services;
    const { current } = this.tree.value;
    const full = (current?.depth ?? 0) >= engine.model.value!.info.n_ctx && !this.sliding.value;
    if (!current) status.phase.value = 'empty';
    else status.phase.value = current.eog ? 'ended' : full ? 'full' : 'ready';
  }
}

/** A scored token of a text as a node. */
function nodeOf(
  { token, bytes, text, logprob, rank, entropy }: TokenScore,
  index: number,
  { ids, how, chat }: Wanted,
  eos: number | undefined,
): TextToken {
  const origin = how(index);
  return {
    token,
    bytes,
    text,
    logprob,
    rank,
    entropy,
    how: origin,
    eog: origin !== 'typed' && token === eos,
    ...(index === ids.length - 1 && chat && { chat }),
  };
}
