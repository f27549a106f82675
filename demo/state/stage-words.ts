/** What the page calls each stage, and what each stage is for. */
import type { StageName } from 'tokenglass';

export interface StageWords {
  /** At the beginning of a line or as a column's head. */
  readonly title: string;
  /** Inside a sentence. */
  readonly inText: string;
  /** What the stage does, in one sentence. */
  readonly does: string;
  /** What it was invented for; ends "was invented". */
  readonly inventedFor: string;
}

export const stageWords: Readonly<Record<StageName, StageWords>> = {
  logit_bias: {
    title: 'Token bias',
    inText: 'the token bias',
    does: 'Adds a number to the scores of tokens that you name.',
    inventedFor: 'to favour single words, or to forbid them',
  },
  allowed_tokens: {
    title: 'Allowed',
    inText: 'the list of allowed tokens',
    does: 'Keeps only the tokens that you name.',
    inventedFor: 'for answers from a fixed list',
  },
  banned_tokens: {
    title: 'Banned',
    inText: 'the list of banned tokens',
    does: 'Cuts the tokens that you name.',
    inventedFor: 'to forbid single words',
  },
  grammar: {
    title: 'Format',
    inText: 'the format',
    does: 'Keeps only the tokens that the format allows.',
    inventedFor: 'for answers that a program can read',
  },
  penalties: {
    title: 'Penalties',
    inText: 'the penalties',
    does: 'Lowers the scores of tokens that occur in the last part of the text.',
    inventedFor: 'against texts that repeat single words',
  },
  dry: {
    title: 'DRY',
    inText: 'DRY',
    does: 'Lowers a token that would extend a repetition: the longer the repetition, the more.',
    inventedFor: 'against loops of whole phrases, without a penalty on single words',
  },
  top_n_sigma: {
    title: 'Top-nσ',
    inText: 'top-n-sigma',
    does: 'Keeps the tokens whose score is within n standard deviations of the highest score.',
    inventedFor: 'for high temperatures: temperature does not change which tokens stay',
  },
  top_k: {
    title: 'Top-k',
    inText: 'top-k',
    does: 'Keeps the k most probable tokens and cuts all others.',
    inventedFor: 'against the long tail of improbable tokens',
  },
  typ_p: {
    title: 'Typical',
    inText: 'typical',
    does: 'Keeps the tokens whose surprise is nearest to the average surprise.',
    inventedFor: 'for text that is neither dull nor odd: people seldom write the likeliest word',
  },
  top_p: {
    title: 'Top-p',
    inText: 'top-p',
    does: 'Keeps the most probable tokens until their probabilities add up to p.',
    inventedFor: 'to keep few tokens where the model is sure and many where it is not',
  },
  min_p: {
    title: 'Min-p',
    inText: 'min-p',
    does: 'Keeps the tokens that have at least this share of the best probability.',
    inventedFor: 'for varied but sensible text at high temperatures',
  },
  xtc: {
    title: 'XTC',
    inText: 'XTC',
    does: 'Now and then cuts all probable tokens except the least probable of these.',
    inventedFor: 'for more surprising stories: XTC means “exclude top choices”',
  },
  temperature: {
    title: 'Temperature',
    inText: 'temperature',
    does: 'Divides all scores: below 1, likely tokens get likelier; above 1, unlikely ones.',
    inventedFor: 'to choose between safe and varied text',
  },
  mirostat: {
    title: 'Mirostat',
    inText: 'mirostat',
    does: 'Cuts more or fewer tokens so that the surprise stays near a target.',
    inventedFor: 'for long texts that become neither dull nor chaotic',
  },
};
