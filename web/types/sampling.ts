/**
 * The sampler: its options, which follow llama.cpp in name, meaning and default, and the trace of
 * a choice, which tells what each stage did.
 */
import type { CallOptions, StageName, StageParams } from './common.js';
import type { StageOptions } from './generated-stages.js';
import type { Constraint } from './grammar.js';

export type { StageOptions };

/** Numbers by token id. As the keys of an object, the ids are strings. */
export type LogitBias = Readonly<Record<string, number>> | ReadonlyMap<number, number>;

/** The lists that stages take. */
export interface StageLists {
  /** Added to the logits; -Infinity removes the token. Default: none. */
  logit_bias?: LogitBias;
  /** Token ids; all others are removed. Default: none. */
  allowed_tokens?: readonly number[];
  /** Token ids that are removed. Default: none. */
  banned_tokens?: readonly number[];
  /**
   * Restricts sampling to a grammar. generate() starts and advances it; candidates(),
   * stageTable() and explain() evaluate its start state, unless you pass the bits of
   * ConstraintState.allowed. Default: none.
   */
  grammar?: Constraint | Int32Array;
  /** Texts that end a repetition for dry. Default: "\n", ":", "\"" and "*". */
  dry_sequence_breakers?: readonly string[];
}

/** The options of the sampler. A value outside its range is SAMPLER_BAD_OPTION. */
export interface SamplerOptions extends StageOptions, StageLists {
  /**
   * The stages in the order in which they run; a stage that is not named does not run. The stages
   * with a list of tokens (logit_bias, allowed_tokens, banned_tokens, grammar) run first when you
   * give the list but do not name the stage. Default: llama.cpp's order.
   */
  samplers?: readonly StageName[];
  /**
   * Seed of the random numbers: a whole number of 0 to 2^53 - 1, or a bigint of 64 bits.
   * Default: the session's seed.
   */
  seed?: number | bigint;
}

/** What a trace lists. */
export interface TraceOptions {
  /** How many candidates to list, the most probable ones. Default: 50. */
  top_n?: number;
  /** List all tokens that a stage removed, not only the candidates. Default: false. */
  all_removed?: boolean;
}

/** Options of Session.candidates. */
export interface CandidatesOptions extends SamplerOptions, TraceOptions, CallOptions {
  /** Which sample of this step: each number has random numbers of its own. Default: 0. */
  sample_index?: number;
}

/** Options of Session.explain. */
export interface ExplainOptions extends SamplerOptions, CallOptions {
  /**
   * The choice of the token at this position, counted as Step.position. Default: the session's last
   * choice; for a session without one, or with sampler options, the choice at its end.
   */
  position?: number;
  /** Which sample of this step: each number has random numbers of its own. Default: 0. */
  sample_index?: number;
}

/** A token that could be drawn. */
export interface Candidate {
  /** The token's id. */
  token: number;
  /** The token for display: its bytes as UTF-8, or its name in the vocabulary. */
  text: string;
  /** The bytes that the token adds to a text. */
  bytes: Uint8Array;
  /** The model's output. */
  logit: number;
  /** Probability over the whole vocabulary before any stage. */
  p: number;
  /** Probability after the last stage; 0 for a removed token. */
  p_final: number;
  /** The stage that removed the token; undefined for a token that all stages kept. */
  removed_by: StageName | undefined;
}

/** What one stage did. StageTrace is the union over all stages. */
export interface StageTraceOf<S extends StageName> {
  /** The stage. */
  name: S;
  /** The values of the stage's options. */
  params: StageParams<S>;
  /** Number of tokens after the stage, of the whole vocabulary. */
  kept: number;
  /** Number of tokens that the stage removed, of the whole vocabulary. */
  removed: number;
  /** Probability, before any stage, of the tokens that reached the stage. */
  mass_before: number;
  /** Probability, before any stage, of the tokens that the stage kept. */
  mass_after: number;
  /** The number that decided, in the unit that the reason uses; 0 when there was none. */
  threshold: number;
  /** The stage's own random number in [0, 1); undefined for a stage that used none. */
  coin: number | undefined;
  /** What the stage did and why, for people. */
  reason: string;
  /** Ids of the removed tokens: those among the candidates, or with all_removed all of them. */
  removed_tokens: number[];
}

/** What one stage did; `name` says which stage and so what `params` contains. */
export type StageTrace = { [S in StageName]: StageTraceOf<S> }[StageName];

/** The draw: the token whose interval contains the random number u, so that low <= u < high. */
export interface Draw {
  /** The random number in [0, 1). It depends only on seed, position and sample_index. */
  u: number;
  /** Start of the token's interval of cumulative final probability. */
  low: number;
  /** End of the interval. */
  high: number;
  /** Id of the drawn token. */
  token: number;
}

/** How one token was chosen. */
export interface StepTrace {
  /** The top_n most probable tokens, most probable first. */
  candidates: Candidate[];
  /** The stages in the order in which they ran. */
  stages: StageTrace[];
  /** The draw. */
  draw: Draw;
  /** Probability, before any stage, of all tokens that candidates does not list. */
  other: number;
  /** Entropy in nats before any stage. */
  entropy: number;
  /** Number of tokens in the vocabulary. */
  n_vocab: number;
  /** Position of the chosen token, counted from the beginning of the text. */
  position: number;
  /** mirostat's state after the draw, in bits; undefined before mirostat has run. */
  mu: number | undefined;
}

/** Options of Session.stageTable. */
export interface StageTableOptions extends SamplerOptions, CallOptions {
  /** How many tokens get a row of their own, the most probable ones. Default: 15. */
  max_rows?: number;
  /** Token ids that get a row in any case. Default: none. */
  tokens?: readonly number[];
  /** Which sample of this step: each number has random numbers of its own. Default: 0. */
  sample_index?: number;
}

/** One token in every column of the sampler's chain. */
export interface StageRow extends Candidate {
  /** How many tokens have a higher logit. */
  rank: number;
  /**
   * The token's probability after each stage, in the order of the table's stages; 0 from the stage
   * on that removed the token.
   */
  after: number[];
}

/** The tokens without a row that one stage removed, or that all stages kept. */
export interface StageGroup {
  /** The stage that removed the tokens; undefined for the tokens that all stages kept. */
  removed_by: StageName | undefined;
  /** Number of tokens. */
  n: number;
  /** Their probability together before any stage. */
  p: number;
  /** Their probability together after each stage, in the order of the table's stages. */
  after: number[];
}

/**
 * How the stages changed the probabilities of one choice. In every column (before any stage, and
 * after each stage) the rows and the groups add up to 1.
 */
export interface StageTable {
  /** Position of the chosen token, counted from the beginning of the text. */
  position: number;
  /** Number of tokens in the vocabulary. */
  n_vocab: number;
  /** The draw. */
  draw: Draw;
  /** The stages in the order in which they ran. removed_tokens has tokens of the rows only. */
  stages: StageTrace[];
  /** Entropy in nats before any stage. */
  entropy: number;
  /** Entropy in nats after the last stage. */
  entropy_final: number;
  /**
   * The max_rows tokens with the highest final probability, then those with the highest logit, then
   * the lowest id; the drawn token; and the tokens of the option. In the same order.
   */
  rows: StageRow[];
  /** The tokens without a row, in the order of the stages; the tokens that all kept come last. */
  groups: StageGroup[];
}

/** Options of Session.findTokens. */
export interface FindTokensOptions extends CallOptions {
  /** How many tokens to list, the most probable ones. Default: 30. */
  limit?: number;
}

/** A token that a search found. All numbers are of the distribution before any stage. */
export interface FoundToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The bytes that the token adds to a text. */
  bytes: Uint8Array;
  /** The model's output. */
  logit: number;
  /** Probability over the whole vocabulary. */
  p: number;
  /** How many tokens have a higher logit. */
  rank: number;
}

/** What shapes the distribution of one side of Session.divergence. */
export interface DistributionOptions extends SamplerOptions {
  /** Which sample of this step: each number has random numbers of its own. Default: 0. */
  sample_index?: number;
}

/** Options of Session.divergence. */
export interface DivergenceOptions extends CallOptions {
  /** The options of the session. Default: the sampler's defaults. */
  a?: DistributionOptions;
  /** The options of the other session. Default: the sampler's defaults. */
  b?: DistributionOptions;
}

/**
 * The Kullback-Leibler divergence in nats between two distributions: how much more surprising, on
 * average, the tokens of the first distribution are under the second. 0: they are the same.
 */
export interface Divergence {
  /** Between the distributions before any stage. */
  model: number;
  /** After the last stage; Infinity when the first can draw a token that the second cannot. */
  final: number;
}

/** The token was drawn. */
export interface DrawnFate {
  /** The token was drawn. */
  type: 'drawn';
}

/** Every stage kept the token, and another token was drawn. */
export interface KeptFate {
  /** Every stage kept the token, and another token was drawn. */
  type: 'kept';
}

/** A stage removed the token. */
export interface RemovedFate {
  /** A stage removed the token. */
  type: 'removed';
  /** The stage. */
  stage: StageName;
  /** What the stage did and why, as in its trace. */
  reason: string;
}

/** What happened to a token in a choice. */
export type Fate = DrawnFate | KeptFate | RemovedFate;

/** One token of the vocabulary in a choice. */
export interface Explanation {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The bytes that the token adds to a text. */
  bytes: Uint8Array;
  /** The model's output. */
  logit: number;
  /** Probability over the whole vocabulary before any stage. */
  p: number;
  /** How many tokens are more probable before any stage. */
  rank: number;
  /** Probability after the last stage; 0 for a removed token. */
  p_final: number;
  /** Whether the token was drawn, kept or removed. */
  fate: Fate;
  /** Position of the chosen token, counted from the beginning of the text. */
  position: number;
}
