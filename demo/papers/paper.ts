/** What the list of papers says about each of them. */

/** What a paper is about, seen from an inference package. */
export type PaperKind = 'decode' | 'lens' | 'embed' | 'tokenizer' | 'arch' | 'domain' | 'train';

/** A paper. */
export interface PaperFacts {
  /** Its number in the list, 1 to 66. */
  number: number;
  /** A short name. */
  name: string;
  /** The title. */
  title: string;
  /** The year of publication. */
  year: number;
  /** What the paper is about. */
  kind: PaperKind;
  /** What the paper says, in one sentence of our own. */
  sentence: string;
}

/** A paper for which something works here. */
export interface CarriedPaper extends PaperFacts {
  /**
   * What carries the paper: 'method cntp' is a row of tokenglass/methods, 'lens pawn' one of
   * tokenglass/lenses, anything else the name of a public declaration such as 'Model.score'.
   */
  api: readonly string[];
  /** What works. */
  works: string;
  /** What `npm run papers` checks. */
  check: string;
  /** What of the paper is not here; absent: nothing that belongs into an inference package. */
  missing?: string;
}

/** A paper for which nothing works here. */
export interface OtherPaper extends PaperFacts {
  /** Why not. */
  why: string;
}

/** A row of the list. */
export type Paper = CarriedPaper | OtherPaper;
