/** Previews: where each of the most probable next tokens leads. */
import type { CallOptions } from './common.js';
import type { SamplerOptions } from './sampling.js';

/**
 * Options of Session.preview. Without any option of the sampler and without sample_index the
 * branches are greedy; with one of them, the others have their own defaults, as in generate().
 */
export interface PreviewOptions extends SamplerOptions, CallOptions {
  /** How many of the most probable tokens get a branch, at most 1024. Default: 5. */
  tokens?: number;
  /** Maximum number of tokens of a branch after its first one. Default: 8. */
  max_tokens?: number;
  /** Continue after tokens that end a generation. Default: false. */
  ignore_eos?: boolean;
  /** Which sample: each number has random numbers of its own. Default: 0. */
  sample_index?: number;
}

/** One token of a preview. */
export interface PreviewStep {
  /** The token's id. */
  token: number;
  /** The characters that the token completes, as Step.text. */
  text: string;
  /** Log-probability in nats before any stage. */
  logprob: number;
}

/** Why a preview ended: a token ends the text, max_tokens, or the context has no position left. */
export type PreviewEnd = 'eog' | 'max_tokens' | 'context';

/** A branch: one of the most probable next tokens, and what follows it. */
export interface Preview {
  /** The id of the first token. */
  token: number;
  /** The first token for display, as Candidate.text. */
  token_text: string;
  /** The first token's probability before any stage. */
  p: number;
  /** The first token's probability after the last stage; 0 for a removed token. */
  p_final: number;
  /** The text of the branch: the bytes of all its tokens as UTF-8. */
  text: string;
  /** The tokens after the first one. */
  steps: PreviewStep[];
  /** Why the branch ended. */
  ended: PreviewEnd;
}
