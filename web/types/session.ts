/** A session: a list of tokens with its cache, which generations extend. */
import type { Bytes, CallOptions, TextOrIds } from './common.js';
import type { EditCounts } from './attention-edits.js';
import type { Edit, ObserveOptions, Observation } from './inside.js';
import type { GenerateMethod, MethodTrace, MethodTraces } from './methods.js';
import type { Preview, PreviewOptions } from './preview.js';
import type {
  CandidatesOptions,
  Divergence,
  DivergenceOptions,
  ExplainOptions,
  Explanation,
  FindTokensOptions,
  FoundToken,
  SamplerOptions,
  StageTable,
  StageTableOptions,
  StepTrace,
  TraceOptions,
} from './sampling.js';
import type { SessionScoreOptions, TokenScore } from './score.js';
import type { Speculate, StepDraft } from './speculation.js';

/** Options of Model.createSession. */
export interface SessionOptions {
  /**
   * Seed of the session's generations: a whole number of 0 to 2^53 - 1, or a bigint of 64 bits.
   * Default: a random one.
   */
  seed?: number | bigint;
  /**
   * What the session changes while it computes, for all of its tokens. Forks have the same edits. A
   * session with edits takes no drafts (speculate), does not shift and cannot be saved
   * (OPTION_UNSUPPORTED). An edit that is wrong is an error of the session's first call:
   * INVALID_ARGUMENT, or OPTION_UNSUPPORTED for what the model does not have. Default: no edits.
   */
  edits?: readonly Edit[];
}

/** What generate() does when the context is full. */
export type OverflowMode = 'error' | 'shift';

/** Options of Session.generate. */
export interface GenerateOptions extends SamplerOptions, CallOptions {
  /** Maximum number of tokens to generate. Default: until the context is full. */
  max_tokens?: number;
  /** Read the names of control tokens in a text prompt as these tokens. Default: false. */
  parse_special?: boolean;
  /** Continue after tokens that end a generation. Default: false. */
  ignore_eos?: boolean;
  /**
   * When the context is full, 'error' throws CONTEXT_FULL (or just ends when you gave no
   * max_tokens); 'shift' drops the older half of the tokens after the first n_keep and recomputes
   * the rest. Default: 'error'.
   */
  overflow?: OverflowMode;
  /** How many tokens at the beginning 'shift' keeps. Default: 1 when the first is BOS, else 0. */
  n_keep?: number;
  /**
   * Which of several generations from the same beginning: each number has random numbers of its
   * own. Default: 0.
   */
  sample_index?: number;
  /** What the trace of each step lists, or false for steps without a trace. Default: {}. */
  trace?: TraceOptions | false;
  /**
   * How tokens are proposed ahead, which makes repetitive text faster and changes no token.
   * Default: only what a grammar forces. OPTION_UNSUPPORTED for architectures with recurrent
   * states.
   */
  speculate?: Speculate;
  /**
   * A decoding method; each step then has `method`. Throws OPTION_UNSUPPORTED together with a
   * grammar and with overflow: 'shift'. Default: none.
   */
  method?: GenerateMethod;
}

/** Options of a generation whose steps have a trace. */
export interface TracedGenerateOptions extends GenerateOptions {
  /** What the trace of each step lists. Default: {}. */
  trace?: TraceOptions;
}

/** Options of a generation by a method. */
export interface MethodGenerateOptions<N extends keyof MethodTraces> extends GenerateOptions {
  /** The method. */
  method: Extract<GenerateMethod, Record<'name', N>>;
}

/** Options of a generation by a method whose steps have a trace. */
export interface TracedMethodOptions<
  N extends keyof MethodTraces,
> extends MethodGenerateOptions<N> {
  /** What the trace of each step lists. Default: {}. */
  trace?: TraceOptions;
}

/** One generated token. */
export interface Step {
  /** The token's id. */
  token: number;
  /** The characters that this token completes; '' while a character is incomplete. */
  text: string;
  /** The bytes that the token adds to the text. */
  bytes: Uint8Array;
  /** Log-probability in nats before any stage. */
  logprob: number;
  /** How many tokens are more probable before any stage; NaN when an imported trace lacks it. */
  rank: number;
  /** Entropy in nats before any stage; NaN when an imported trace lacks it. */
  entropy: number;
  /** Position of the token, counted from the beginning of the text. */
  position: number;
  /** Whether the token ends the generation. More tokens follow only with ignore_eos. */
  eog: boolean;
  /** How many tokens the context lost after this token, with overflow: 'shift'; usually 0. */
  shifted: number;
  /** How the token was chosen; undefined with trace: false. */
  trace: StepTrace | undefined;
  /** What speculation did for this step; undefined: nothing. */
  draft?: StepDraft | undefined;
  /** What the method did; only in a generation by a method. */
  method?: MethodTrace;
}

/** A step of a generation with traces. */
export interface TracedStep extends Step {
  /** How the token was chosen. */
  trace: StepTrace;
}

/** A step of a generation by a method. */
export interface MethodStep<N extends keyof MethodTraces> extends Step {
  /** What the method did. */
  method: MethodTraces[N];
}

/** A step of a generation by a method, with traces. */
export interface TracedMethodStep<N extends keyof MethodTraces> extends MethodStep<N> {
  /** How the token was chosen. */
  trace: StepTrace;
}

/**
 * A list of tokens with its cache. A session runs one generation or score() at a time: calls that
 * change its tokens reject with SESSION_BUSY until the end. Every call rejects with DISPOSED after
 * dispose(), and with the codes of a broken model (see Model).
 */
export interface Session {
  /** The tokens as of the last finished call; after a shift, those that are left. */
  readonly tokens: readonly number[];
  /** Default seed of its generations. */
  readonly seed: bigint;

  /**
   * Generates tokens by a decoding method: each step has `method`, what the method did. Throws
   * OPTION_UNSUPPORTED for what a method cannot do exactly, and the codes of a plain generation.
   * @example
   * const method = { name: 'cntp', n_max: 4 } as const;
   * for await (const step of session.generate('Once', { method, max_tokens: 12 }))
   *   console.log(step.text, step.method.n_trials);
   */
  generate<N extends keyof MethodTraces>(
    prompt: TextOrIds | undefined,
    options: TracedMethodOptions<N>,
  ): AsyncGenerator<TracedMethodStep<N>, void, undefined>;
  /**
   * The same without traces.
   * @example
   * const method = { name: 'cntp', n_max: 4 } as const;
   * for await (const step of session.generate('Once', { method, max_tokens: 12, trace: false }))
   *   console.log(step.text, step.method.n_trials);
   */
  generate<N extends keyof MethodTraces>(
    prompt: TextOrIds | undefined,
    options: MethodGenerateOptions<N>,
  ): AsyncGenerator<MethodStep<N>, void, undefined>;
  /**
   * Generates tokens, one step for each. A prompt replaces the session's tokens, as sync() does;
   * without a prompt the generation continues after them. To leave the loop stops the work. Throws
   * SAMPLER_BAD_OPTION, NO_CANDIDATES, LOGITS_NOT_FINITE, SESSION_EMPTY (no token to continue
   * after), CONTEXT_FULL, KV_FULL, TOKEN_OUT_OF_RANGE and SESSION_BUSY.
   * @example
   * for await (const step of session.generate('Once upon a time', { max_tokens: 12 })) {
   *   console.log(step.text, step.logprob, step.trace.candidates[0]?.text);
   * }
   */
  generate(
    prompt?: TextOrIds,
    options?: TracedGenerateOptions,
  ): AsyncGenerator<TracedStep, void, undefined>;
  /**
   * The same without traces, which is a little faster. The tokens are the same.
   * @example
   * for await (const { text } of session.generate('Once', { max_tokens: 12, trace: false })) {
   *   console.log(text);
   * }
   */
  generate(prompt?: TextOrIds, options?: GenerateOptions): AsyncGenerator<Step, void, undefined>;

  /**
   * Replaces the session's tokens. The cache of the common beginning is reused; the model runs when
   * logits are needed. A text is tokenized with BOS, ids are used as they are. Resolves to the
   * number of tokens that are cached and need not run. Rejects with TOKEN_OUT_OF_RANGE,
   * CONTEXT_FULL and SESSION_BUSY.
   * @example
   * await session.sync('The old man opened the door and');
   */
  sync(prompt: TextOrIds, options?: CallOptions): Promise<number>;

  /**
   * Keeps the first n tokens. Rejects with POSITION_OUT_OF_RANGE and SESSION_BUSY.
   * @example
   * await session.rewind(session.tokens.length - 1);
   */
  rewind(n: number): Promise<void>;

  /**
   * A session with the same tokens and seed, which shares their cache.
   * @example
   * const branch = await session.fork();
   */
  fork(): Promise<Session>;
  /**
   * n such sessions, 1 to 1024. When one cannot be made, none is left.
   * @example
   * const branches = await session.fork(8);
   */
  fork(n: number): Promise<Session[]>;

  /**
   * Adds a token of your choice. Rejects with TOKEN_OUT_OF_RANGE, CONTEXT_FULL and SESSION_BUSY.
   * @example
   * await session.append(300);
   */
  append(token: number): Promise<void>;

  /**
   * Adds tokens and scores each of them: what Model.score() gives for the whole text, while the
   * session keeps the cache, so that each token runs once. After an abort or another error, the
   * session has the tokens that were scored before. Other calls that change the tokens reject with
   * SESSION_BUSY until then. Rejects with TOKEN_OUT_OF_RANGE, CONTEXT_FULL, KV_FULL,
   * LOGITS_NOT_FINITE and SESSION_BUSY; with the first two no token is added.
   * @example
   * await session.rewind(0);
   * const scores = await session.score(await model.tokenize('The cat sat on the mat'));
   * for (const { text, logprob } of scores) console.log(text, logprob);
   */
  score(tokens: readonly number[], options?: SessionScoreOptions): Promise<TokenScore[]>;

  /**
   * Adds a text (or tokens) and shows what happens inside the model while it runs: what
   * Model.observe() gives, with positions counted from the session's first token. Positions before
   * the text cannot be observed any more (POSITION_OUT_OF_RANGE). After an error or an abort the
   * session is as it was. Rejects as Model.observe, and with SESSION_BUSY.
   * @example
   * const seen = await session.observe(' mat', { attention: { layers: [0], heads: [0] } });
   * console.log(seen.attention?.shape); // layers, heads, queries, keys
   */
  observe(text: TextOrIds, options?: ObserveOptions): Promise<Observation>;

  /**
   * What the session's edits `recycled`, `spatten` and `act` have read and left out since its first
   * token, in the order of the edits.
   * @example
   * for (const counts of await session.editCounts()) console.log(counts.type);
   */
  editCounts(): Promise<EditCounts[]>;

  /**
   * The model's output for the next token: n_vocab floats, a copy. Rejects with SESSION_EMPTY and
   * KV_FULL.
   * @example
   * const logits = await session.logits();
   */
  logits(options?: CallOptions): Promise<Float32Array>;

  /**
   * The choice that generate() would make next with these options. The session does not change, and
   * the model does not run again for other options. Rejects with the codes of generate().
   * @example
   * const { candidates } = await session.candidates({ temperature: 0.5, top_n: 10 });
   */
  candidates(options?: CandidatesOptions): Promise<StepTrace>;

  /**
   * The same choice as a table: the probability of each token after each stage. Tokens without a
   * row are summed up, so that every column adds up to 1. The draw is that of candidates(). Rejects
   * with TOKEN_OUT_OF_RANGE and the codes of generate().
   * @example
   * const { stages, rows } = await session.stageTable({ temperature: 0.5, max_rows: 10 });
   * for (const { text, p, after } of rows)
   *   console.log(text, p, stages.map(({ name }, i) => `${name}: ${after[i]}`).join(', '));
   */
  stageTable(options?: StageTableOptions): Promise<StageTable>;

  /**
   * Where the most probable next tokens lead: for each of them the text that generate() would
   * continue with. The branches run at the same time and are forks: the session does not change.
   * All branches have the same random numbers. Without any option of the sampler the branches are
   * greedy. Rejects with CONTEXT_FULL when the session has no position left, with
   * OPTION_UNSUPPORTED for a grammar, and with the codes of generate(). Cost: tokens * max_tokens
   * runs of one token.
   * @example
   * for (const { p, text, ended } of await session.preview({ tokens: 3, max_tokens: 6 }))
   *   console.log(p, text, ended);
   */
  preview(options?: PreviewOptions): Promise<Preview[]>;

  /**
   * Searches the vocabulary: the tokens whose text contains the query, in upper or lower case, and
   * the token whose id the query is. The marks ␣, ⏎, ⇥ and ␍ in the query also match a space, a
   * line end, a tab and a carriage return. The most probable tokens for the session's next token
   * come first. The sampler has no part in this: pass the ids as `tokens` to stageTable() for what
   * the stages do with them. Rejects with SESSION_EMPTY, LOGITS_NOT_FINITE and KV_FULL.
   * @example
   * const found = await session.findTokens('cat', { limit: 5 });
   * const { rows } = await session.stageTable({ tokens: found.map(({ token }) => token) });
   */
  findTokens(query: string, options?: FindTokensOptions): Promise<FoundToken[]>;

  /**
   * How much the distributions of this session's next token (a) and of another session's next token
   * (b) differ. The sessions may be of two models whose vocabularies have the same size, and they
   * may be the same session with other options. Rejects with INVALID_ARGUMENT for different sizes
   * and with the codes of generate().
   * @example
   * const branch = await session.fork();
   * await branch.append(300);
   * const { final } = await session.divergence(branch, { b: { temperature: 1.5 } });
   */
  divergence(other: Session, options?: DivergenceOptions): Promise<Divergence>;

  /**
   * What happened to a token of the vocabulary in the last choice that generate() made or
   * candidates() or stageTable() showed, or in the choice that the options describe. The session
   * does not change.
   * Rejects with TOKEN_OUT_OF_RANGE, POSITION_OUT_OF_RANGE and the codes of generate().
   * @example
   * const { fate, rank } = await session.explain(300);
   * if (fate.type === 'removed') console.log(fate.stage, fate.reason, rank);
   */
  explain(token: number, options?: ExplainOptions): Promise<Explanation>;

  /**
   * The session as bytes for Model.loadSession: tokens, cache, seed and sampler state. Rejects with
   * SESSION_BUSY.
   * @example
   * const file = new Blob([await session.save()]);
   */
  save(options?: CallOptions): Promise<Bytes>;

  /**
   * Frees the session's share of the cache. A session that the program drops without this call is
   * freed when its object is collected.
   * @example
   * await session.dispose();
   */
  dispose(): Promise<void>;

  /**
   * The same as dispose(), for `await using`.
   * @example
   * await using branch = await session.fork();
   */
  [Symbol.asyncDispose](): Promise<void>;
}
