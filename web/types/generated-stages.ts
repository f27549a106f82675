/**
 * Written by wasm/toolchain/generate.mjs from the lists of src/ and wasm/ (*.def). Change the
 * lists, not this file.
 */

/** The sampler stages (stages.def). */
export type StageName =
  | 'logit_bias'
  | 'allowed_tokens'
  | 'banned_tokens'
  | 'grammar'
  | 'penalties'
  | 'dry'
  | 'top_n_sigma'
  | 'top_k'
  | 'typ_p'
  | 'top_p'
  | 'min_p'
  | 'xtc'
  | 'temperature'
  | 'mirostat';

/** The options of all sampler stages. */
export type StageOptionName =
  | 'penalty_last_n'
  | 'penalty_repeat'
  | 'penalty_freq'
  | 'penalty_present'
  | 'dry_multiplier'
  | 'dry_base'
  | 'dry_allowed_length'
  | 'dry_penalty_last_n'
  | 'top_n_sigma'
  | 'top_k'
  | 'typical_p'
  | 'top_p'
  | 'min_p'
  | 'xtc_probability'
  | 'xtc_threshold'
  | 'temperature'
  | 'dynatemp_range'
  | 'dynatemp_exponent'
  | 'mirostat'
  | 'mirostat_tau'
  | 'mirostat_eta';

/** The numeric options of all stages. */
export interface StageOptions {
  /** penalties: how many of the last tokens count; -1: the whole context. Default: 64. */
  penalty_last_n?: number;
  /** penalties: divides the logit of a token that occurred; 1: off. Default: 1. */
  penalty_repeat?: number;
  /** penalties: subtracted once for each occurrence of the token; 0: off. Default: 0. */
  penalty_freq?: number;
  /** penalties: subtracted once when the token occurred; 0: off. Default: 0. */
  penalty_present?: number;
  /** dry: strength of the penalty for continuing a repetition; 0: off. Default: 0. */
  dry_multiplier?: number;
  /** dry: the penalty grows by this factor with each repeated token. Default: 1.75. */
  dry_base?: number;
  /** dry: length in tokens up to which a repetition has no penalty. Default: 2. */
  dry_allowed_length?: number;
  /** dry: how many of the last tokens are searched; -1: the whole context. Default: -1. */
  dry_penalty_last_n?: number;
  /**
   * top_n_sigma: keeps logits within this many standard deviations of the maximum; -1: off.
   * Default: -1.
   */
  top_n_sigma?: number;
  /** top_k: keeps this many tokens, those with the greatest logits; 0: all. Default: 40. */
  top_k?: number;
  /**
   * typ_p: keeps the tokens whose surprisal is nearest to the entropy, up to this mass; 1: off.
   * Default: 1.
   */
  typical_p?: number;
  /** top_p: keeps the most probable tokens up to this mass; 1: off. Default: 0.95. */
  top_p?: number;
  /**
   * min_p: keeps tokens with at least this share of the maximum probability; 0: off. Default: 0.05.
   */
  min_p?: number;
  /** xtc: probability that the stage removes anything; 0: off. Default: 0. */
  xtc_probability?: number;
  /**
   * xtc: of the tokens with at least this probability, only the least probable stays. Default: 0.1.
   */
  xtc_threshold?: number;
  /** temperature: divides the logits; 0 keeps only the most probable token. Default: 0.8. */
  temperature?: number;
  /** temperature: it varies by plus and minus this much with the entropy; 0: off. Default: 0. */
  dynatemp_range?: number;
  /** temperature: exponent of the normalized entropy in that range. Default: 1. */
  dynatemp_exponent?: number;
  /** mirostat: version 1 or 2; it replaces all stages except temperature; 0: off. Default: 0. */
  mirostat?: number;
  /** mirostat: the surprisal that it aims at, in bits. Default: 5. */
  mirostat_tau?: number;
  /** mirostat: its learning rate. Default: 0.1. */
  mirostat_eta?: number;
}

/** The lists that sampler stages take. */
export type StageListName =
  'logit_bias' | 'allowed_tokens' | 'banned_tokens' | 'grammar' | 'dry_sequence_breakers';

/** The options of each sampler stage. */
export interface StageOptionNames {
  logit_bias: never;
  allowed_tokens: never;
  banned_tokens: never;
  grammar: never;
  penalties: 'penalty_last_n' | 'penalty_repeat' | 'penalty_freq' | 'penalty_present';
  dry: 'dry_multiplier' | 'dry_base' | 'dry_allowed_length' | 'dry_penalty_last_n';
  top_n_sigma: 'top_n_sigma';
  top_k: 'top_k';
  typ_p: 'typical_p';
  top_p: 'top_p';
  min_p: 'min_p';
  xtc: 'xtc_probability' | 'xtc_threshold';
  temperature: 'temperature' | 'dynatemp_range' | 'dynatemp_exponent';
  mirostat: 'mirostat' | 'mirostat_tau' | 'mirostat_eta';
}

/**
 * The options of one sampler stage with their values: StageParams<'top_k'> is { top_k: number }.
 */
export type StageParams<S extends StageName = StageName> = S extends StageName
  ? { [K in StageOptionNames[S]]: number }
  : never;

/**
 * When a stage runs unless samplers gives an order: LISTED: when its list is given; USUAL:
 * without mirostat; MIROSTAT: with mirostat; ALWAYS: in both cases.
 */
export type StageChain = 'LISTED' | 'USUAL' | 'ALWAYS' | 'MIROSTAT';

/** A numeric option of a sampler stage. */
export interface StageOptionInfo {
  /** The name. */
  name: StageOptionName;
  /** The default value. */
  default: number;
  /** The smallest value. */
  min: number;
  /** The greatest value. */
  max: number;
  /** Whether only whole numbers are accepted. */
  whole: boolean;
}

/** A sampler stage. */
export interface StageInfo {
  /** The name. */
  name: StageName;
  /** When the stage runs without an explicit order. */
  chain: StageChain;
  /** Its numeric options. */
  options: readonly StageOptionInfo[];
  /** Its lists. */
  lists: readonly StageListName[];
}

/**
 * Every sampler stage in llama.cpp's default order. The index of a stage is its number in C; the
 * options of all stages, one stage after the other, have their index as number in C.
 */
export const stages: readonly StageInfo[] = [
  { name: 'logit_bias', chain: 'LISTED', options: [], lists: ['logit_bias'] },
  { name: 'allowed_tokens', chain: 'LISTED', options: [], lists: ['allowed_tokens'] },
  { name: 'banned_tokens', chain: 'LISTED', options: [], lists: ['banned_tokens'] },
  { name: 'grammar', chain: 'LISTED', options: [], lists: ['grammar'] },
  {
    name: 'penalties',
    chain: 'USUAL',
    options: [
      { name: 'penalty_last_n', default: 64, min: -1, max: 2147483647, whole: true },
      { name: 'penalty_repeat', default: 1, min: 0.01, max: 100, whole: false },
      { name: 'penalty_freq', default: 0, min: -1000, max: 1000, whole: false },
      { name: 'penalty_present', default: 0, min: -1000, max: 1000, whole: false },
    ],
    lists: [],
  },
  {
    name: 'dry',
    chain: 'USUAL',
    options: [
      { name: 'dry_multiplier', default: 0, min: 0, max: 1000000, whole: false },
      { name: 'dry_base', default: 1.75, min: 0, max: 1000000, whole: false },
      { name: 'dry_allowed_length', default: 2, min: 0, max: 2147483647, whole: true },
      { name: 'dry_penalty_last_n', default: -1, min: -1, max: 2147483647, whole: true },
    ],
    lists: ['dry_sequence_breakers'],
  },
  {
    name: 'top_n_sigma',
    chain: 'USUAL',
    options: [{ name: 'top_n_sigma', default: -1, min: -1, max: 1000000, whole: false }],
    lists: [],
  },
  {
    name: 'top_k',
    chain: 'USUAL',
    options: [{ name: 'top_k', default: 40, min: 0, max: 2147483647, whole: true }],
    lists: [],
  },
  {
    name: 'typ_p',
    chain: 'USUAL',
    options: [{ name: 'typical_p', default: 1, min: 0, max: 1, whole: false }],
    lists: [],
  },
  {
    name: 'top_p',
    chain: 'USUAL',
    options: [{ name: 'top_p', default: 0.95, min: 0, max: 1, whole: false }],
    lists: [],
  },
  {
    name: 'min_p',
    chain: 'USUAL',
    options: [{ name: 'min_p', default: 0.05, min: 0, max: 1, whole: false }],
    lists: [],
  },
  {
    name: 'xtc',
    chain: 'USUAL',
    options: [
      { name: 'xtc_probability', default: 0, min: 0, max: 1, whole: false },
      { name: 'xtc_threshold', default: 0.1, min: 0, max: 1, whole: false },
    ],
    lists: [],
  },
  {
    name: 'temperature',
    chain: 'ALWAYS',
    options: [
      { name: 'temperature', default: 0.8, min: 0, max: 1000000, whole: false },
      { name: 'dynatemp_range', default: 0, min: 0, max: 1000000, whole: false },
      { name: 'dynatemp_exponent', default: 1, min: 0, max: 1000, whole: false },
    ],
    lists: [],
  },
  {
    name: 'mirostat',
    chain: 'MIROSTAT',
    options: [
      { name: 'mirostat', default: 0, min: 0, max: 2, whole: true },
      { name: 'mirostat_tau', default: 5, min: 0, max: 1000, whole: false },
      { name: 'mirostat_eta', default: 0.1, min: 0, max: 1000, whole: false },
    ],
    lists: [],
  },
];
