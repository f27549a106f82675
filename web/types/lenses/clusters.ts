/** Clusters of the output matrix, and the next tokens by cluster. */

/** Whether a continuation is a right answer. */
export type AnswerJudge = (text: string) => boolean;

/** One of the most probable next tokens. */
export interface ClusteredToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** How many tokens are more probable. */
  rank: number;
  /** Probability before any stage. */
  p: number;
  /** Its cluster. */
  cluster: number;
  /** Whether its cluster is one of those of the first tokens. */
  inside: boolean;
  /** Where the token leads, up to a mark; undefined without answers. */
  continuation: string | undefined;
  /** Whether that is a right answer; undefined without answers. */
  right: boolean | undefined;
}

/** A cluster that one of the first tokens belongs to. */
export interface TokenCluster {
  /** Its number. */
  cluster: number;
  /** How many tokens it has. */
  size: number;
  /** Tokens for display, at most ten, in the order of their ids. */
  examples: string[];
}

/** How many of some tokens are right. */
export interface ClusterFigures {
  /** Number of tokens. */
  n: number;
  /** How many of them are right. */
  n_right: number;
  /** n_right / n; NaN without tokens. */
  accuracy: number;
  /** The mean over all beginnings of the list of the share that is right; NaN without tokens. */
  mean_precision: number;
}

/** What the lens clusters gives. */
export interface ClustersResult {
  /** The next tokens, most probable first. */
  tokens: ClusteredToken[];
  /** The clusters of the first tokens, in the order of the tokens. */
  clusters: TokenCluster[];
  /** Of the tokens in these clusters; undefined without answers. */
  inside: ClusterFigures | undefined;
  /** The same without the first tokens themselves. */
  inside_rest: ClusterFigures | undefined;
  /** Of the tokens in other clusters; undefined without answers. */
  outside: ClusterFigures | undefined;
  /** The cluster of every token of the vocabulary: the option `labels` of a later call. */
  labels: Int32Array;
  /** The number of clusters. */
  n_clusters: number;
  /**
   * The sum of the distances between rows and the centres of their clusters; undefined with
   * `labels`.
   */
  inertia: number | undefined;
}
