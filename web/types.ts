/** The public types: what a program passes in and gets back. Names and units follow llama.cpp where it has them. */
import type { CacheTypeName, ErrorCode, KernelVariantName, QuantName, StageName } from './generated.js';

export type { ErrorCode, QuantName, StageName };

/** Where a model comes from. A string is a URL in browsers, a URL or a path in Node, or 'storybook', the built-in model. */
export type ModelSource = string | URL | Blob | Response | ReadableStream<Uint8Array> | ArrayBuffer | Uint8Array;

/** Bytes so far and in all; total is undefined when the source does not say. */
export interface Progress {
  loaded: number;
  total: number | undefined;
}

export type CacheType = CacheTypeName;
/** The builds; the scalar kernels are in both, as the reference. */
export type KernelVariant = Exclude<KernelVariantName, 'scalar'>;

export interface LoadOptions {
  progressCallback?: (progress: Progress) => void;
  signal?: AbortSignal;
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
  wasmURL?: string | URL;
  workerURL?: string | URL;
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
  quant_types: { name: QuantName; tensors: number; params: number }[];
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
}

export interface TokenizeOptions {
  /** Add BOS/EOS by the model's rule (default true). */
  add_special?: boolean;
  /** Turn the spelling of control tokens into their ids (default false: they are plain text). */
  parse_special?: boolean;
}

export interface SamplerOptions {
  /** The order of the stages; one that is absent does not run. */
  samplers?: StageName[];
  temperature?: number;
  top_k?: number;
  top_p?: number;
  min_p?: number;
  /** A whole number of 0 to 2^53 - 1 or a bigint of 64 bits. */
  seed?: number | bigint;
}

export interface CandidatesOptions extends SamplerOptions {
  /** How many candidates to list (default 50). */
  top_n?: number;
}

export interface GenerateOptions extends SamplerOptions {
  /** Tokens to make at the most; default: until the context is full. */
  max_tokens?: number;
  /** Turn the spelling of control tokens in a text prompt into their ids (default false: they are plain text). */
  parse_special?: boolean;
  /** Go on past end-of-generation tokens. */
  ignore_eos?: boolean;
  signal?: AbortSignal;
  /** false: no trace (the tokens are the same). */
  trace?: { top_n?: number } | false;
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
  final: number;
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
  threshold: number;
  reason: string;
  /** Which of the listed candidates it removed. */
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
  position: number;
}

export interface Step {
  token: number;
  /** Whole characters completed by this token ('' while one is still incomplete). */
  text: string;
  bytes: Uint8Array;
  /** Nats, of the raw distribution. */
  logprob: number;
  position: number;
  /** It ends the generation (only with ignore_eos does anything follow). */
  eog: boolean;
  trace: StepTrace | undefined;
}

export interface TokenScore {
  token: number;
  text: string;
  bytes: Uint8Array;
  /** Nats; NaN for the first token, which nothing stands before. */
  logprob: number;
  rank: number;
  entropy: number;
  top_mass: number;
}

export interface Session extends AsyncDisposable {
  /** A copy of the session's tokens as of the last finished call. */
  readonly tokens: readonly number[];
  /** Text (gets the model's BOS rule) or ids (taken as they are) become the session's tokens, reusing what is cached; without a prompt it goes on. */
  generate(prompt?: string | readonly number[], options?: GenerateOptions): AsyncGenerator<Step, void, undefined>;
  /** Makes the session's tokens these without generating. */
  sync(prompt: string | readonly number[]): Promise<void>;
  /** Keeps the first n tokens. */
  rewind(n: number): Promise<void>;
  fork(): Promise<Session>;
  /** Appends one token. */
  force(token: number): Promise<void>;
  /** n_vocab floats for the next position: a copy. Runs what is pending. */
  logits(): Promise<Float32Array>;
  /** The next choice as generate would make it with these options, without making it: recomputed from the stored logits. */
  candidates(options?: CandidatesOptions): Promise<StepTrace>;
  dispose(): Promise<void>;
}

export interface Model extends AsyncDisposable {
  readonly info: ModelInfo;
  tokenize(text: string, options?: TokenizeOptions): Promise<number[]>;
  detokenize(ids: readonly number[]): Promise<string>;
  tokenBytes(id: number): Promise<Uint8Array>;
  createSession(options?: { seed?: number | bigint }): Session;
  score(text: string | readonly number[]): Promise<TokenScore[]>;
  /** Counters of the work done so far: tokens run through the layers, memory now, and with the option profile the milliseconds of each step. */
  stats(): Promise<{ decoded_tokens: number; memory: MemoryInfo; profile: { step: string; ms: number }[] }>;
  dispose(): Promise<void>;
}
