/** What the API gives to a decoding method of generate(). */

/** A token that was drawn and is now the last one of its text. */
export interface Drawn {
  token: number;
  /** The bytes that the token adds to the text. */
  bytes: Uint8Array;
  /** Log-probability in nats before any stage. */
  logprob: number;
  /** Probability after the last stage. */
  p_final: number;
  /** Whether the token ends a generation. */
  eog: boolean;
}

/** A fork of the session. */
export interface Branch<D extends Drawn> {
  /** Draws the branch's next token, also in a greedy generation. */
  draw(sample_index: number): Promise<D>;
  /**
   * The first n tokens that the branch drew become tokens of the session, with their cache. With
   * all of them the branch ends.
   */
  adopt(n: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface MethodHost<D extends Drawn> {
  /** Which sample the generation is. */
  readonly sample_index: number;
  /** Whether the generation goes on after tokens that end it. */
  readonly ignore_eos: boolean;
  /** Whether the generation follows a grammar. */
  readonly has_grammar: boolean;
  /** Whether a full context slides. */
  readonly shifts: boolean;
  /** How many tokens fit into the context after those of the session. */
  room(): number;
  /** The next step of a plain generation. */
  step(): Promise<D>;
  /** The entropy in nats, after the last stage, of what a branch would draw next. */
  entropy(): Promise<number>;
  fork(n: number): Promise<Branch<D>[]>;
  /** The ids of a text without BOS. */
  tokenize(text: string): Promise<number[]>;
}

/** A method at work. T: the trace that it adds to each step. */
export interface MethodRun<D extends Drawn, T> {
  /** The next step. remaining: how many steps the caller still wants at most, at least 1. */
  next(remaining: number): Promise<D & { method: T }>;
  /** Ends what the method has in the engine. */
  dispose(): Promise<void>;
}
