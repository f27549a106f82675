/** A model: where its file comes from, how it is loaded, and what can be asked of it. */
import type { BeamSearchOptions, BeamSearchResult, MethodPrompt } from './beam-search.js';
import type {
  ArchitectureName,
  CacheTypeName,
  CallOptions,
  KernelDotName,
  KernelVariantName,
  ProfileStepName,
  QuantName,
  TextOrIds,
} from './common.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatTemplateOptions,
  ChatParams,
  Completion,
  CompletionChunk,
  CompletionParams,
  StreamedChatParams,
  StreamedCompletionParams,
  WholeChatParams,
  WholeCompletionParams,
} from './completions.js';
import type { Decision, DecisionParams, SystemOneDecision, SystemOneParams } from './decide.js';
import type { AttributeLensOptions, AttributeResult, Lenses } from './generated-lenses.js';
import type { Constraint, GrammarSpec } from './grammar.js';
import type { ModelObserveOptions, Observation } from './inside.js';
import type {
  NavigateListOptions,
  NavigateListResult,
  NavigateWaysOptions,
  NavigateWaysResult,
} from './navigate.js';
import type { EmbedOptions, ScoreOptions, TokenScore } from './score.js';
import type { Session, SessionOptions } from './session.js';
import type { VoteOptions, VoteResult } from './vote.js';

/**
 * Where a model comes from. A string is a URL in a browser, a URL or a path in Node, or
 * 'storybook', the built-in model.
 */
export type ModelSource =
  string | URL | Blob | Response | ReadableStream<Uint8Array> | ArrayBuffer | Uint8Array;

/** How a key or a value is stored in the cache. */
export type CacheType = CacheTypeName;

/** The builds of the engine. Both contain the scalar kernels, as the reference. */
export type KernelVariant = Exclude<KernelVariantName, 'scalar'>;

/** The name of a build of the engine: its kernels, and whether it has threads. */
export type BuildName = KernelVariant | `${KernelVariant}.threads`;

/** A build of the engine. The entries of the package such as tokenglass/simd128 export one. */
export interface EngineBuild {
  /** Its kernels, and whether it has threads. */
  name: BuildName;
  /** The address of its wasm file. */
  url: string;
}

/** How far the download of a model is. */
export interface Progress {
  /** Bytes read so far. */
  loaded: number;
  /**
   * Bytes that the load reads in all, to the end of the last tensor; undefined while this is not
   * certain. The header of the file makes it certain. With vocab_only, the last report has it.
   */
  total: number | undefined;
}

/**
 * Receives the progress of a load at most 20 times a second, and always the first report and the
 * last one, when all bytes are there. An exception that it throws ends the load.
 */
export type ProgressListener = (progress: Progress) => void;

/** Options of fetchModel. */
export interface FetchOptions extends CallOptions {
  /**
   * How long a server, a Response or a ReadableStream may give no byte, in milliseconds; 0: without
   * a limit. A download that stalls is continued once by another request where that is possible.
   * Then it fails with SOURCE_FAILED. Default: 30000.
   */
  timeout_ms?: number;
}

/** Options of loadModel. */
export interface LoadOptions extends FetchOptions {
  /** Called while the file arrives. Default: none. */
  on_progress?: ProgressListener;
  /** Tokens that one session can hold. Default: the model's training context, at most 4096. */
  n_ctx?: number;
  /**
   * Tokens that the cache can hold for all sessions together. Default: n_ctx plus room for
   * branches, which is n_ctx again but at most 1024.
   */
  n_kv?: number;
  /**
   * How keys are stored. Default: about as exactly as most weights are: f32 or f16 for such
   * weights, q8_0 for quantized weights (f16 where the heads are not a multiple of 32 wide).
   */
  cache_type_k?: CacheType;
  /** How values are stored. Default: the same rule as for cache_type_k. */
  cache_type_v?: CacheType;
  /**
   * Read only the tokenizer: the model can then tokenize but not run. The load ends with the header
   * of the file. Default: false.
   */
  vocab_only?: boolean;
  /**
   * Run the model in a worker of its own. false runs it in the caller's thread. Default: true, but
   * in the caller's thread where there are no workers, and where the package is on another origin
   * and the page's policy forbids workers of a Blob: the model's `worker_note` then says why. With
   * an explicit true, the load rejects with WORKER_FAILED instead.
   */
  worker?: boolean;
  /** Which build to use. Default: the fastest one that this runtime supports. */
  kernels?: KernelVariant;
  /**
   * Maximum number of threads, 1 to 64. Default: half of the cores, at most 8. A page needs
   * cross-origin isolation for more than one thread.
   */
  n_threads?: number;
  /** Measure the time of each step of the forward pass for stats(). Default: false. */
  profile?: boolean;
  /**
   * The builds of the engine to choose from. Default: those of the entry that loadModel comes from:
   * all builds for `tokenglass`, one build for an entry such as `tokenglass/simd128`.
   */
  builds?: readonly EngineBuild[];
  /**
   * Address of the folder that has the package's files: worker.js (worker-node.mjs in Node), the
   * wasm files, the built-in model. Default: the files beside the package's modules.
   */
  base_url?: string | URL;
  /**
   * Address of your own copy or build of the engine. A build without threads runs on one thread.
   * Default: the package's own files.
   */
  wasm_url?: string | URL;
  /** Address of your own copy of worker.js. Default: the package's own file. */
  worker_url?: string | URL;
}

/** Memory in bytes. */
export interface MemoryInfo {
  /** Size of the model's file, to the end of its last tensor. */
  file: number;
  /** The header: metadata, tensor directory and vocabulary. */
  header: number;
  /** The weights in memory. */
  weights: number;
  /** The cache of keys and values, for all sessions. */
  kv: number;
  /** Working memory of the forward pass and the sampler. */
  scratch: number;
  /** Size of the WebAssembly memory now. */
  total: number;
  /** Largest size that the WebAssembly memory has had. */
  peak: number;
}

/** How much of a model is stored in one weight type. */
export interface QuantTypeInfo {
  /** The weight type. */
  name: QuantName;
  /** Number of tensors. */
  tensors: number;
  /** Number of weights in these tensors. */
  params: number;
}

/** Facts about a loaded model. */
export interface ModelInfo {
  /** The file's general.architecture. */
  architecture: ArchitectureName;
  /** The file's general.name; '' when the file has none. */
  name: string;
  /** Number of tokens in the vocabulary. */
  n_vocab: number;
  /** Context that the model was trained with, in tokens. */
  n_ctx_train: number;
  /** Tokens that one session can hold. */
  n_ctx: number;
  /** Tokens that the cache can hold for all sessions together. */
  n_kv: number;
  /** Recurrent states that the cache can hold for all sessions; 0: no recurrent layers. */
  n_states: number;
  /** Number of layers. */
  n_layer: number;
  /** Width of the hidden state, in floats. */
  n_embd: number;
  /** Number of attention heads. */
  n_head: number;
  /** Number of key and value heads. */
  n_head_kv: number;
  /** Width of the feed-forward layer, in floats. */
  n_ff: number;
  /** Number of weights. */
  n_params: number;
  /** Whether the output matrix is the token embedding. */
  tied_output: boolean;
  /** The weight types of the file, those with at least one tensor. */
  quant_types: QuantTypeInfo[];
  /** Id of the token that begins a text; undefined when the vocabulary has none. */
  bos: number | undefined;
  /** Id of the token that ends a text; undefined when the vocabulary has none. */
  eos: number | undefined;
  /** How keys are stored. */
  cache_type_k: CacheType;
  /** How values are stored. */
  cache_type_v: CacheType;
  /** Memory after the load, in bytes. */
  memory: MemoryInfo;
  /** Number of threads that work on the model. */
  n_threads: number;
  /** Why there are fewer threads than were asked for; undefined when there are not. */
  threads_note: string | undefined;
  /** Why the model runs in the caller's thread although that was not asked for; else undefined. */
  worker_note: string | undefined;
  /** The kernels that run. */
  kernel_variant: KernelVariantName;
  /**
   * How this processor's relaxed dot product treats bytes above 127 in its second operand:
   * 'unsigned', 'signed', '7-bit' (it does not support them) or 'none' (no such instruction).
   */
  kernel_dot: KernelDotName;
  /** SHA-256 of the file's header, tensor directory and length, as 64 hexadecimal digits. */
  fingerprint: string;
  /** The file's chat template in Jinja; undefined when the file has none. */
  chat_template: string | undefined;
  /**
   * Faults of the file that do not keep the model from running, in plain words; usually none.
   * Examples: an id outside of the vocabulary, merge scores that are all equal.
   */
  warnings: string[];
}

/** The time that one step of the forward pass has taken so far. */
export interface ProfileEntry {
  /** Name of the step. */
  step: ProfileStepName;
  /** Milliseconds, summed over all tokens. */
  ms: number;
}

/** Counters of the work that a model has done. */
export interface ModelStats {
  /** Tokens that were run through the layers, those of drafts included. */
  decoded_tokens: number;
  /** Memory now, in bytes. */
  memory: MemoryInfo;
  /** Time of each step of the forward pass; empty without the option profile: true. */
  profile: ProfileEntry[];
}

/** Options of tokenize and tokenOffsets. */
export interface TokenizeOptions {
  /** Add BOS and EOS as the model's tokenizer does. Default: true. */
  add_special?: boolean;
  /** Read the names of control tokens in the text as these tokens. Default: false. */
  parse_special?: boolean;
}

/** A token and the bytes of the text that it covers. */
export interface TokenOffset {
  /** The token's id. */
  token: number;
  /** Index of its first byte in the UTF-8 text. */
  start: number;
  /** Index after its last byte. Equal to start for a token that is not in the text, such as BOS. */
  end: number;
}

/** A conversation as the model's chat template writes it, up to where the assistant begins. */
export interface ChatPrompt {
  /** The text. */
  text: string;
  /** The ids of its tokens: a prompt for Session.generate. */
  ids: number[];
}

/**
 * A loaded model. Every call rejects with DISPOSED after dispose(), with WORKER_FAILED when the
 * worker ended, and with ENGINE_CRASHED or THREAD_LOST when the engine broke; then the model must
 * be loaded again.
 */
export interface Model {
  /** Facts about the model. */
  readonly info: ModelInfo;
  /** Measurements of the model and of texts; each loads when it is called. */
  readonly lens: Lenses;

  /**
   * Splits a text into tokens. Resolves to their ids. A text of more than 64 MiB is refused
   * (INVALID_ARGUMENT).
   * @example
   * const ids = await model.tokenize('Once upon a time');
   * const plain = await model.tokenize('Once upon a time', { add_special: false });
   */
  tokenize(text: string, options?: TokenizeOptions): Promise<number[]>;

  /**
   * The same tokens as tokenize, each with the bytes of the text that it covers.
   * @example
   * const bytes = new TextEncoder().encode('The cat');
   * for (const { token, start, end } of await model.tokenOffsets('The cat')) {
   *   console.log(token, bytes.subarray(start, end));
   * }
   */
  tokenOffsets(text: string, options?: TokenizeOptions): Promise<TokenOffset[]>;

  /**
   * The text of a list of tokens; detokenize(await tokenize(text)) is the text again.
   * Rejects with TOKEN_OUT_OF_RANGE.
   * @example
   * console.log(await model.detokenize(session.tokens));
   */
  detokenize(ids: readonly number[]): Promise<string>;

  /**
   * The bytes that a token adds to a text; none for a control token.
   * Rejects with TOKEN_OUT_OF_RANGE.
   * @example
   * const bytes = await model.tokenBytes(300);
   */
  tokenBytes(id: number): Promise<Uint8Array>;

  /**
   * A token for display: its bytes as UTF-8, or its name in the vocabulary when it adds no bytes.
   * Rejects with TOKEN_OUT_OF_RANGE.
   * @example
   * console.log(await model.tokenText(model.info.bos ?? 0)); // <s>
   */
  tokenText(id: number): Promise<string>;

  /**
   * The texts of all tokens for display, by id: what tokenText gives for each, in one call. A list
   * of n_vocab texts of your own. Rejects with OUT_OF_MEMORY.
   * @example
   * const texts = await model.tokenTexts();
   * console.log((await model.tokenize('The cat')).map((id) => texts[id]));
   */
  tokenTexts(): Promise<string[]>;

  /**
   * Runs a text and shows what happens inside the model: logits at any position, the logit lens,
   * residuals, attention and outputs of heads, with or without edits. Observing changes no result.
   * Costs a run of the text; each boundary and position of the lens costs a product with the output
   * matrix. Rejects with OUT_OF_MEMORY when the results would take more than max_bytes, with
   * OPTION_UNSUPPORTED for what a layer does not have, and with CONTEXT_FULL,
   * POSITION_OUT_OF_RANGE, SESSION_EMPTY.
   * @example
   * const { lens } = await model.observe('The cat sat', { lens: { positions: [2], top_n: 1 } });
   * lens?.layers.forEach((layer, i) => console.log(layer, lens.top.tokens[i]));
   */
  observe(text: TextOrIds, options?: ModelObserveOptions): Promise<Observation>;

  /**
   * The lens attribute by a shorter name: which words of a text moved the probability of what
   * follows. Rejects as lens.attribute.
   * @example
   * const moved = await model.attribute('The cat drank the', { target: ' milk' });
   * console.log(moved.parts.map(({ text, hidden_effect }) => [text, hidden_effect]));
   */
  attribute(text: string, options?: AttributeLensOptions): Promise<AttributeResult>;

  /**
   * A new session without tokens. Throws INVALID_ARGUMENT for a bad seed.
   * @example
   * const story = model.createSession({ seed: 5 });
   */
  createSession(options?: SessionOptions): Session;

  /**
   * Continues a session that Session.save wrote, with the same bits. Rejects with SESSION_FOREIGN
   * for a session of another model, cache type or kernel variant, and with SESSION_DAMAGED for
   * bytes that are incomplete or changed.
   * @example
   * const copy = await model.loadSession(await session.save());
   */
  loadSession(saved: Uint8Array | ArrayBuffer | Blob, options?: CallOptions): Promise<Session>;

  /**
   * Scores every token of a text: its log-probability, rank and surroundings. A text longer than
   * the context is scored in windows. Rejects with TOKEN_OUT_OF_RANGE and CONTEXT_FULL.
   * @example
   * const scores = await model.score('The cat barked.', { top_n: 2 });
   * for (const { text, logprob, top } of scores) console.log(text, logprob, top[0]?.text);
   */
  score(text: TextOrIds, options?: ScoreOptions): Promise<TokenScore[]>;

  /**
   * An embedding of the text: n_embd floats, the pooled hidden states after the last norm.
   * Rejects with CONTEXT_FULL for a text longer than the context and SESSION_EMPTY for no tokens.
   * @example
   * const vector = await model.embed('a cat');
   */
  embed(text: TextOrIds, options?: EmbedOptions): Promise<Float32Array>;

  /**
   * The rows of the output matrix for the tokens: n_embd floats for each, one row after the other.
   * A token's logit is the product of its row and the hidden state after the last norm, before a
   * bias, scale or cap of the logits. Rejects with TOKEN_OUT_OF_RANGE, MODEL_NOT_READY with
   * vocab_only, and OUT_OF_MEMORY.
   * @example
   * const rows = await model.outputRows(await model.tokenize(' cat dog', { add_special: false }));
   * console.log(rows.length / model.info.n_embd);
   */
  outputRows(tokens: readonly number[]): Promise<Float32Array>;

  /**
   * A completion in the shape of the OpenAI API, as a stream of chunks. Rejects with
   * INVALID_ARGUMENT, OPTION_UNSUPPORTED, GRAMMAR_INVALID and the codes of Session.generate.
   * @example
   * const params = { prompt: 'The sun', max_tokens: 8 };
   * const chunks = await model.createCompletion({ ...params, stream: true });
   * for await (const { choices } of chunks) console.log(choices[0]?.text);
   */
  createCompletion(params: StreamedCompletionParams): Promise<AsyncGenerator<CompletionChunk>>;
  /**
   * A completion in the shape of the OpenAI API, as one object. Rejects with the same codes.
   * @example
   * const { choices } = await model.createCompletion({ prompt: 'The sun', max_tokens: 8 });
   * console.log(choices[0]?.text);
   */
  createCompletion(params: WholeCompletionParams): Promise<Completion>;
  /**
   * A completion whose `stream` is known only at run time.
   * @example
   * const stream: boolean = Math.random() < 0.5;
   * const result = await model.createCompletion({ prompt: 'The sun', max_tokens: 8, stream });
   */
  createCompletion(params: CompletionParams): Promise<Completion | AsyncGenerator<CompletionChunk>>;

  /**
   * A reply to a conversation in the shape of the OpenAI API, as a stream of chunks. Rejects with
   * TEMPLATE_MISSING, TEMPLATE_FAILED and the codes of createCompletion.
   * @example
   * const messages = [{ role: 'user' as const, content: 'Tell me a story.' }];
   * const chunks = await model.createChatCompletion({ messages, max_tokens: 50, stream: true });
   * for await (const { choices } of chunks) console.log(choices[0]?.delta.content);
   */
  createChatCompletion(params: StreamedChatParams): Promise<AsyncGenerator<ChatCompletionChunk>>;
  /**
   * A reply to a conversation in the shape of the OpenAI API, as one object. Rejects with the same
   * codes.
   * @example
   * const messages = [{ role: 'user' as const, content: 'Tell me a story.' }];
   * const { choices } = await model.createChatCompletion({ messages, max_tokens: 50 });
   * console.log(choices[0]?.message.content);
   */
  createChatCompletion(params: WholeChatParams): Promise<ChatCompletion>;
  /**
   * A reply whose `stream` is known only at run time.
   * @example
   * const stream: boolean = Math.random() < 0.5;
   * const messages = [{ role: 'user' as const, content: 'Tell me a story.' }];
   * const result = await model.createChatCompletion({ messages, max_tokens: 50, stream });
   */
  createChatCompletion(
    params: ChatParams,
  ): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk>>;

  /**
   * Writes a conversation with the model's own chat template, up to where the assistant begins.
   * Rejects with TEMPLATE_MISSING, TEMPLATE_FAILED, OPTION_UNSUPPORTED and INVALID_ARGUMENT.
   * @example
   * const { ids } = await model.applyChatTemplate([{ role: 'user', content: 'Hello' }]);
   * for await (const { text } of session.generate(ids)) console.log(text);
   */
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options?: ChatTemplateOptions,
  ): Promise<ChatPrompt>;

  /**
   * Answers typed questions about a state by probabilities. They are read from the logits after one
   * prompt for each question and order of options; no text is generated. The state runs once.
   *
   * Works on every model with a chat template, with a template of your own, and on decision models
   * in llama.cpp's format. A question without an answer has the answer `refusal`; the others are
   * answered. Rejects with INVALID_ARGUMENT, OPTION_UNSUPPORTED, TEMPLATE_MISSING, TEMPLATE_FAILED
   * and LOGITS_NOT_FINITE. Source: llama.cpp's tools/server/server-decision.cpp. Cost: the prompts'
   * tokens without their common beginning, twice unless orders: 'given'.
   * @example
   * const { answers } = await model.decide({
   *   state: 'My order came twice and I was charged twice.',
   *   template: '{{ state }} {{ instructions }} {% for o in options %}{{ o.label }} {% endfor %}',
   *   questions: [{ type: 'predicate', instructions: 'The customer wants money back.' }],
   * });
   */
  decide(params: DecisionParams): Promise<Decision>;
  /**
   * The same for questions by name, in the form of /v1/systemone; so are the answers.
   * Rejects with the same codes.
   * @example
   * const { answers } = await model.decide({
   *   state: { text: 'My order came twice.', plan: 'pro' },
   *   template: '{{ state }} {{ instructions }} {% for o in options %}{{ o.label }} {% endfor %}',
   *   questions: { refund: { type: 'noul', instructions: 'Does the customer want money back?' } },
   * });
   */
  decide(params: SystemOneParams): Promise<SystemOneDecision>;

  /**
   * Compiles a grammar that restricts generations of this model. Rejects with GRAMMAR_INVALID; the
   * message says what is wrong with the grammar.
   * @example
   * const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "yes" | "no"' });
   * for await (const { text } of session.generate('Was it true?', { grammar })) console.log(text);
   */
  createGrammar(spec: GrammarSpec): Promise<Constraint>;

  /**
   * The most probable texts after a prompt, by beam search; with a condition, the most probable
   * texts that have an attribute. Log-probabilities are of the model's distribution before any
   * sampler stage, unless the option `sampler` says otherwise. Source: D. Yoshida, Making the Most
   * of your Model (2024); the details are reconstructed. Cost: beams times the tokens of one text.
   * Rejects with INVALID_ARGUMENT, OPTION_UNSUPPORTED, GRAMMAR_INVALID and the codes of
   * Session.candidates.
   * @example
   * const condition = { type: 'length' as const, n: 6 };
   * const { hypotheses } = await model.beamSearch('The old man', { condition, beams: 3 });
   * for (const { text, logprob } of hypotheses) console.log(text, logprob);
   */
  beamSearch(prompt: MethodPrompt, options?: BeamSearchOptions): Promise<BeamSearchResult>;

  /**
   * Several answers to one prompt, and the answer that wins: self-consistency, and with a verifier
   * weighted voting or best-of-N. The answers are forks of the prompt that run at the same time.
   * Source: N. Singhi et al., When To Solve, When To Verify (2025). Cost: the tokens of all answers
   * and verifications, see `cost` of the result. Rejects with INVALID_ARGUMENT and the codes of
   * Session.generate.
   * @example
   * const { winner, histogram } = await model.vote('The cat sat on the', {
   *   n: 4,
   *   max_tokens: 5,
   *   extract: /\w+/,
   * });
   * for (const { answer, count } of histogram) console.log(answer, count, answer === winner);
   */
  vote(prompt: MethodPrompt, options?: VoteOptions): Promise<VoteResult>;

  /**
   * Several ways to solve a problem, each with another first token, and the answer that most of
   * them have: In-context Navigation. The model sees the earlier ways when it ranks the first
   * tokens of the next one. Source: L. Peng, C. An and J. Shang, Correlation and Navigation in the
   * Vocabulary Key Representation Space of Language Models (2024). Cost: the tokens of all ways,
   * and for each way a prompt with the earlier ones. Rejects with INVALID_ARGUMENT, CONTEXT_FULL
   * and the codes of Session.generate.
   * @example
   * const { ways, winner } = await model.navigate('Lily has 2 cats and 3 dogs. How many pets?', {
   *   mode: 'ways',
   *   n_ways: 2,
   *   max_tokens: 20,
   * });
   * for (const { first, text, answer } of ways) console.log(first, text, answer === winner);
   */
  navigate(prompt: MethodPrompt, options: NavigateWaysOptions): Promise<NavigateWaysResult>;
  /**
   * A list of different answers, found through first tokens that were not used yet: In-context
   * Navigation. The model sees the answers of the earlier runs when it ranks first tokens. Source
   * and errors are the same. Cost: n_run * n_tol answers, and for each run a prompt with the list.
   * @example
   * const { answers } = await model.navigate('Names of animals.', { n_run: 2, n_tol: 3 });
   * for (const { run, first, text } of answers) console.log(run, first, text);
   */
  navigate(prompt: MethodPrompt, options?: NavigateListOptions): Promise<NavigateListResult>;

  /**
   * Counters of the work that the model has done so far.
   * @example
   * const { decoded_tokens, memory } = await model.stats();
   */
  stats(): Promise<ModelStats>;

  /**
   * Ends the model's worker and threads and frees its memory. Sessions of the model end, too.
   * @example
   * await model.dispose();
   */
  dispose(): Promise<void>;

  /**
   * The same as dispose(), for `await using`.
   * @example
   * await using story = await loadModel('storybook');
   */
  [Symbol.asyncDispose](): Promise<void>;
}
