/** Function tokens and content tokens. */

/** A token that carries grammar (an article, a preposition, a mark), or that carries meaning. */
export type TokenKind = 'function' | 'content';

/** One token of the text. */
export interface FunctionToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** What it is. */
  kind: TokenKind;
  /** Negative log-probability in nats. */
  loss: number;
  /**
   * With attention: the mean weight that later positions give to this token, over all heads of all
   * layers; NaN for the last token.
   */
  attention?: number;
}

/** A figure for each kind. */
export interface FunctionTokenMeans {
  /** Over function tokens. */
  function: number;
  /** Over content tokens. */
  content: number;
}

/** The tokens of one kind after tokens of one kind. */
export interface FunctionTokenClass {
  /** The kind of the token before. */
  previous: TokenKind;
  /** The kind of the token itself. */
  current: TokenKind;
  /** How many there are. */
  n: number;
  /** Their mean loss in nats; NaN without any. */
  mean_loss: number;
  /** Their share of the tokens. */
  token_share: number;
  /** Their share of the whole loss. */
  loss_share: number;
}

/** What the lens functionTokens gives. */
export interface FunctionTokensResult {
  /** The tokens of the text. */
  tokens: FunctionToken[];
  /** The four pairs of kinds, over all tokens but the first of the text. */
  classes: FunctionTokenClass[];
  /** With attention: the mean of the tokens' attention, without the last token. */
  mean_attention?: FunctionTokenMeans;
}
