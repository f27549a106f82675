/** The public types: what a program passes in and gets back. Names and units follow llama.cpp where it has them. */
import type {
  CacheTypeName,
  ErrorCode,
  KernelVariantName,
  QuantName,
  StageListName,
  StageName,
  StageOptionName,
} from './generated.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatParams,
  Completion,
  CompletionChunk,
  CompletionParams,
} from './completions.js';

export type * from './completions.js';
export type { ErrorCode, QuantName, StageListName, StageName, StageOptionName };

/** Where a model comes from. A string is a URL in browsers, a URL or a path in Node, or 'storybook', the built-in model. */
export type ModelSource =
  string | URL | Blob | Response | ReadableStream<Uint8Array> | ArrayBuffer | Uint8Array;

/** Bytes so far and in all; total is undefined when the source does not say. */
export interface Progress {
  loaded: number;
  total: number | undefined;
}

export type CacheType = CacheTypeName;
/** The builds; the scalar kernels are in both, as the reference. */
export type KernelVariant = Exclude<KernelVariantName, 'scalar'>;

export interface LoadOptions extends CallOptions {
  on_progress?: (progress: Progress) => void;
  /** Positions a session can hold; default: the model's training context, at most 4096. */
  n_ctx?: number;
  /** Positions the cache can hold for all sessions together; default: n_ctx and, for branches, as many again up to 1,024. */
  n_kv?: number;
  /** How keys are kept; default: as exactly as most weights are: f32, f16, or q8_0 for quantized weights (f16 where heads are no multiple of 32 wide). */
  cache_type_k?: CacheType;
  /** How values are kept; default: likewise. */
  cache_type_v?: CacheType;
  /** Read the tokenizer only. */
  vocab_only?: boolean;
  /** false: run in the caller's thread. Default: a worker of its own. */
  worker?: boolean;
  /** Overrides the choice of build; default: the fastest that validates and passes its self-test. */
  kernels?: KernelVariant;
  /** Threads that work on the model, at most; default: half of the cores, at most 8. Pages need cross-origin isolation for more than one. */
  n_threads?: number;
  /** Measure where the time goes: stats().profile. */
  profile?: boolean;
  /** A build of your own; it runs on one thread unless it is one made for threads, which then needs n_threads above 1. */
  wasm_url?: string | URL;
  worker_url?: string | URL;
}

export interface MemoryInfo {
  /** Bytes. file: as the header has it; total: the WebAssembly memory now; peak: its greatest size so far. */
  file: number;
  header: number;
  weights: number;
  kv: number;
  scratch: number;
  total: number;
  peak: number;
}

/** How much of a model has one weight type. */
export interface QuantTypeInfo {
  name: QuantName;
  /** Number of tensors. */
  tensors: number;
  /** Number of weights in them. */
  params: number;
}

export interface ModelInfo {
  architecture: string;
  name: string;
  n_vocab: number;
  n_ctx_train: number;
  n_ctx: number;
  n_kv: number;
  n_layer: number;
  n_embd: number;
  n_head: number;
  n_head_kv: number;
  n_ff: number;
  n_params: number;
  tied_output: boolean;
  quant_types: QuantTypeInfo[];
  bos: number | undefined;
  eos: number | undefined;
  cache_type_k: CacheType;
  cache_type_v: CacheType;
  memory: MemoryInfo;
  n_threads: number;
  /** Why there are fewer threads than were asked for. */
  threads_note: string | undefined;
  kernel_variant: string;
  /** How this processor takes codes above 127 in the relaxed dot product, found by a probe: 'unsigned', 'signed', '7-bit' (not at all) or 'none'. */
  kernel_dot: string;
  /** SHA-256 (hex) of the header, its tensor directory and the file's length. */
  fingerprint: string;
  /** The file's chat template (Jinja). */
  chat_template: string | undefined;
}

/** The time that one step of the forward pass has taken so far. */
export interface ProfileEntry {
  step: string;
  ms: number;
}

export interface ModelStats {
  /** Tokens run through the layers. */
  decoded_tokens: number;
  memory: MemoryInfo;
  /** Empty unless the model was loaded with profile: true. */
  profile: ProfileEntry[];
}

/** A conversation as the model's chat template writes it. */
export interface ChatPrompt {
  text: string;
  ids: number[];
}

export interface TokenizeOptions {
  /** Add BOS/EOS by the model's rule (default true). */
  add_special?: boolean;
  /** Turn the spelling of control tokens into their ids (default false: they are plain text). */
  parse_special?: boolean;
}

export interface TokenOffset {
  token: number;
  start: number;
  end: number;
}

/** Numbers by token id; as keys of an object they are strings. */
export type LogitBias = Readonly<Record<string, number>> | ReadonlyMap<number, number>;

/** A grammar under way: which tokens may come next, and which one came. */
export interface ConstraintState {
  /** 32 tokens a number, from the lowest bit of the first: those with which the text can go on. */
  allowed(): Int32Array | Promise<Int32Array>;
  accept(token: number): void;
  /** Nothing more can come. */
  readonly ended: boolean;
  dispose?(): void;
}

/** What a generated text must be, from its first token on: model.createGrammar makes one, or a program of your own. */
export interface Constraint {
  begin(): ConstraintState | Promise<ConstraintState>;
}

/** Any JSON object. */
export interface JsonGrammarSpec {
  type: 'json';
}

/** JSON that a schema describes. */
export interface JsonSchemaGrammarSpec {
  type: 'json_schema';
  schema: Record<string, unknown>;
}

/** Text that a grammar in EBNF describes; its first rule is named root. */
export interface EbnfGrammarSpec {
  type: 'ebnf';
  grammar: string;
}

export type GrammarSpec = JsonGrammarSpec | JsonSchemaGrammarSpec | EbnfGrammarSpec;

/** What each list of a stage may be given as. */
export interface StageLists {
  /** Added to the logits; -Infinity removes the token. */
  logit_bias?: LogitBias;
  /** Only these can be drawn. */
  allowed_tokens?: readonly number[];
  /** These cannot be drawn. */
  banned_tokens?: readonly number[];
  /** Only what goes on by the grammar can be drawn: a generation begins it and follows it; a look at one choice stands at its beginning, or takes the bits as they are. */
  grammar?: Constraint | Int32Array;
  /** Texts that end a repetition for dry; default: "\n", ":", "\"", "*". */
  dry_sequence_breakers?: readonly string[];
}

/** The options of all stages, with llama.cpp's names, meaning and defaults (README). */
export interface SamplerOptions extends Partial<Record<StageOptionName, number>>, StageLists {
  /** The order of the stages; one that is absent does not run, but for the lists, which come first when they are not named here. */
  samplers?: readonly StageName[];
  /** A whole number of 0 to 2^53 - 1 or a bigint of 64 bits. */
  seed?: number | bigint;
}

/** For a call that takes nothing but a signal. */
export interface CallOptions {
  /** Ends the call; the promise rejects with AbortError. */
  signal?: AbortSignal;
}

/** What a trace lists. */
export interface TraceOptions {
  /** How many candidates to list (default 50). */
  top_n?: number;
  /** List all removed tokens of each stage, not only those among the candidates. */
  all_removed?: boolean;
}

export interface CandidatesOptions extends SamplerOptions, TraceOptions, CallOptions {
  /** Which sample of this step: each number has coins of its own (default 0, that of generate). */
  sample_index?: number;
}

export interface ExplainOptions extends SamplerOptions, CallOptions {
  /** Before which token, counted as Step.position is; default: where the session last chose, or its end. */
  position?: number;
  sample_index?: number;
}

export interface GenerateOptions extends SamplerOptions, CallOptions {
  /** Tokens to make at the most; default: until the context is full. */
  max_tokens?: number;
  /** Turn the spelling of control tokens in a text prompt into their ids (default false: they are plain text). */
  parse_special?: boolean;
  /** Go on past end-of-generation tokens. */
  ignore_eos?: boolean;
  /** When the context is full: 'error' (CONTEXT_FULL, or the end without max_tokens), or 'shift', which drops the older half of what stands behind n_keep. */
  overflow?: 'error' | 'shift';
  /** Tokens at the beginning that a shift leaves (default: 1 when the first is BOS, else 0). */
  n_keep?: number;
  /** Which of several generations from one beginning: each number has coins of its own (default 0). */
  sample_index?: number;
  /** false: no trace (the tokens are the same). */
  trace?: TraceOptions | false;
}

/** The options of a generation whose steps have a trace. */
export interface TracedGenerateOptions extends GenerateOptions {
  trace?: TraceOptions;
}

export interface Candidate {
  token: number;
  /** For display: the bytes as UTF-8 (U+FFFD for half a character), or the vocabulary's spelling of a control token. */
  text: string;
  bytes: Uint8Array;
  /** As the model gave it. */
  logit: number;
  /** Softmax over the whole vocabulary. */
  p: number;
  /** After the last stage; 0 when removed. */
  p_final: number;
  /** The stage that removed it. */
  removed_by: StageName | undefined;
}

export interface StageTrace {
  name: StageName;
  params: Record<string, number>;
  /** Counts over the whole vocabulary. */
  kept: number;
  removed: number;
  /** Raw probability of the tokens that reached the stage, and of those that survived it. */
  mass_before: number;
  mass_after: number;
  /** The number that decided, in the reason's terms; 0 when there was none. */
  threshold: number;
  /** The stage's own coin, in [0, 1), when it threw one (xtc). */
  coin: number | undefined;
  reason: string;
  /** Which of the listed candidates it removed, or with all_removed which tokens. */
  removed_tokens: number[];
}

export interface Draw {
  /** The coin, in [0, 1), and the interval of the drawn token: low <= u < high. */
  u: number;
  low: number;
  high: number;
  token: number;
}

export interface StepTrace {
  /** Most probable first. */
  candidates: Candidate[];
  stages: StageTrace[];
  draw: Draw;
  /** Raw probability of everything not listed in candidates. */
  other: number;
  /** Nats, of the raw distribution. */
  entropy: number;
  n_vocab: number;
  /** Of the token that is chosen, counted from the text's beginning. */
  position: number;
  /** mirostat's state after the draw, in bits, once it has run. */
  mu: number | undefined;
}

/** The sampler drew the token. */
export interface DrawnFate {
  type: 'drawn';
}

/** The token survived every stage, and the coin fell on another. */
export interface KeptFate {
  type: 'kept';
}

/** A stage removed the token. */
export interface RemovedFate {
  type: 'removed';
  stage: StageName;
  /** The stage's reason, as its trace has it. */
  reason: string;
}

export type Fate = DrawnFate | KeptFate | RemovedFate;

/** What became of one token of the vocabulary in a choice. */
export interface Explanation {
  token: number;
  text: string;
  bytes: Uint8Array;
  logit: number;
  /** Softmax over the whole vocabulary. */
  p: number;
  /** How many tokens are more probable. */
  rank: number;
  /** After the last stage; 0 when removed. */
  p_final: number;
  fate: Fate;
  position: number;
}

export interface Step {
  token: number;
  /** Whole characters completed by this token ('' while one is still incomplete). */
  text: string;
  bytes: Uint8Array;
  /** Nats, of the raw distribution. */
  logprob: number;
  /** How many tokens are more probable in the raw distribution. */
  rank: number;
  /** Nats, of the raw distribution. */
  entropy: number;
  position: number;
  /** It ends the generation (only with ignore_eos does anything follow). */
  eog: boolean;
  /** Tokens that slid out of a full context after this choice (overflow: 'shift'); 0: none. */
  shifted: number;
  /** undefined with trace: false. */
  trace: StepTrace | undefined;
}

/** A step of a generation whose trace was not turned off. */
export interface TracedStep extends Step {
  trace: StepTrace;
}

export interface Alternative {
  token: number;
  text: string;
  bytes: Uint8Array;
  /** Nats. */
  logprob: number;
}

export interface ScoreOptions extends CallOptions {
  /** Most probable tokens to list in each place (default 0). */
  top_n?: number;
  /** Of a text longer than the context: tokens scored by each further window (default: half of the context). The rest of a window is what they are given. */
  stride?: number;
}

export interface EmbedOptions extends CallOptions {
  /** Of the last hidden states (after the last norm): their mean, or the last (default 'mean'). */
  pooling?: 'mean' | 'last';
  /** To length 1 (default true). */
  normalize?: boolean;
}

export interface TokenScore {
  token: number;
  text: string;
  bytes: Uint8Array;
  /** Nats; NaN for the first token, which nothing stands before. */
  logprob: number;
  rank: number;
  entropy: number;
  /** The mass of all more probable tokens. */
  top_mass: number;
  /** The most probable tokens in its place, as many as were asked for; none for the first token. */
  top: Alternative[];
}

export interface SessionOptions {
  /** A whole number of 0 to 2^53 - 1 or a bigint of 64 bits; default: a random one. */
  seed?: number | bigint;
}

export interface Session extends AsyncDisposable {
  /** A copy of the session's tokens as of the last finished call (of the window, when it has slid). */
  readonly tokens: readonly number[];
  /** The default for its generations. */
  readonly seed: bigint;
  /** Text (gets the model's BOS rule) or ids (taken as they are) become the session's tokens, reusing what is cached; without a prompt it goes on. */
  generate(
    prompt?: string | readonly number[],
    options?: TracedGenerateOptions,
  ): AsyncGenerator<TracedStep, void, undefined>;
  generate(
    prompt?: string | readonly number[],
    options?: GenerateOptions,
  ): AsyncGenerator<Step, void, undefined>;
  /** Makes the session's tokens these without generating. */
  sync(prompt: string | readonly number[], options?: CallOptions): Promise<void>;
  /** Keeps the first n tokens. */
  rewind(n: number): Promise<void>;
  fork(): Promise<Session>;
  /** Appends one token. */
  append(token: number): Promise<void>;
  /** n_vocab floats for the next position: a copy. Runs what is pending. */
  logits(options?: CallOptions): Promise<Float32Array>;
  /** The next choice as generate would make it with these options, without making it: recomputed from the stored logits. */
  candidates(options?: CandidatesOptions): Promise<StepTrace>;
  /** Where a token of the vocabulary fell out: in the last choice that generate made or candidates showed, or in the one that the options name. The session does not change. */
  explain(token: number, options?: ExplainOptions): Promise<Explanation>;
  /** The session as bytes, its cache and seed included, for model.loadSession. */
  save(options?: CallOptions): Promise<Uint8Array>;
  dispose(): Promise<void>;
}

export interface Model extends AsyncDisposable {
  readonly info: ModelInfo;
  tokenize(text: string, options?: TokenizeOptions): Promise<number[]>;
  /** The same tokens, each with the part of the text that it covers: bytes start to end of its UTF-8. What is not in the text (BOS, a tokenizer's space before it) covers none. */
  tokenOffsets(text: string, options?: TokenizeOptions): Promise<TokenOffset[]>;
  detokenize(ids: readonly number[]): Promise<string>;
  tokenBytes(id: number): Promise<Uint8Array>;
  /** For display: its bytes as UTF-8, or how the vocabulary spells it where it adds none to a text. */
  tokenText(id: number): Promise<string>;
  createSession(options?: SessionOptions): Session;
  /** A saved session of the same model, cache types and kernels goes on, bit for bit; others are SESSION_FOREIGN, broken ones SESSION_DAMAGED. */
  loadSession(saved: Uint8Array | ArrayBuffer | Blob, options?: CallOptions): Promise<Session>;
  score(text: string | readonly number[], options?: ScoreOptions): Promise<TokenScore[]>;
  /** Completions in the OpenAI shapes, whole or as a stream of chunks. */
  createCompletion(
    params: CompletionParams & { stream: true },
  ): Promise<AsyncGenerator<CompletionChunk>>;
  createCompletion(params: CompletionParams & { stream?: false | null }): Promise<Completion>;
  /** The same for a conversation, by the model's own chat template. */
  createChatCompletion(
    params: ChatParams & { stream: true },
  ): Promise<AsyncGenerator<ChatCompletionChunk>>;
  createChatCompletion(params: ChatParams & { stream?: false | null }): Promise<ChatCompletion>;
  /** A conversation as the model's own chat template writes it, up to where the assistant begins: for generate, ids. */
  applyChatTemplate(messages: readonly ChatMessage[]): Promise<ChatPrompt>;
  /** A grammar for generations of this model; GRAMMAR_INVALID says what is wrong with it. */
  createGrammar(spec: GrammarSpec): Promise<Constraint>;
  /** n_embd floats that stand for the text. */
  embed(text: string | readonly number[], options?: EmbedOptions): Promise<Float32Array>;
  /** Counters of the work done so far: tokens run through the layers, memory now, and with the option profile the milliseconds of each step. */
  stats(): Promise<ModelStats>;
  dispose(): Promise<void>;
}
