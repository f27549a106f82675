/** The option `speculate` of generate(), and the second model of { draft: model }. */
import type { SpeculateRequest } from '../engine/speculation.js';
import { indexIn, invalid, readOptions, unsupported, wholeNumber } from '../types/arguments.js';
import { TokenglassError, typed } from '../types/errors.js';
import type { DraftModel, GenerateOptions, Model, Session, Speculate } from '../types/types.js';
import type { Generation, Speculation } from './generation.js';

const METHODS = ['ngram', 'recycling', 'auto'] as const;
const TREES = ['cpu', 'paper'] as const; // in the order of trees.def
const MAX_DRAFT_TOKENS = 16;
const DEFAULT_DRAFT_TOKENS = 8;
const FIRST_DRAFT_TOKENS = 4;

const requestOf = (method: SpeculateRequest['method'], tree = 0): SpeculateRequest => ({
  method,
  tree,
  tokens: undefined,
});

/** The texts of all tokens tell whether two models have one vocabulary. */
async function checkVocabulary(texts: () => Promise<string[]>, draft: DraftModel): Promise<void> {
  const [own, other] = [await texts(), await draft.tokenTexts()];
  const different = own.findIndex((text, id) => text !== other[id]);
  if (own.length !== other.length || different >= 0)
    throw invalid(
      'speculate.draft has another vocabulary: ' +
        (own.length === other.length
          ? `token ${different} is ${JSON.stringify(other[different])}, not ` +
            JSON.stringify(own[different])
          : `${other.length} tokens, not ${own.length}`),
    );
}

/**
 * Checks the option of a generation. texts: the tokens of its model. Throws INVALID_ARGUMENT and
 * OPTION_UNSUPPORTED.
 */
export async function speculationOf(
  { speculate, method: decoding, samplers }: Generation,
  texts: () => Promise<string[]>,
): Promise<Speculation> {
  const given = speculate as Exclude<Speculate, false>;
  if (decoding) throw unsupported('speculate is not supported together with method');
  if (typeof given === 'string') {
    const method = METHODS[indexIn(METHODS, given, 'speculate')]!;
    return { request: requestOf(method) };
  }
  if (Object(given) !== given)
    throw invalid(`speculate is ${typed(given)}; it must be a string, an object or false`);
  if ('recycling' in given) {
    const { recycling } = readOptions(given, ['recycling'], 'speculate');
    const tree = indexIn(TREES, recycling, 'speculate.recycling');
    return { request: requestOf('recycling', tree) };
  }
  const { draft, max_tokens } = readOptions(given, ['draft', 'max_tokens'], 'speculate');
  if (typeof draft?.createSession !== 'function')
    throw invalid(`speculate.draft is ${typed(draft)}; it must be a model`);
  const limit = max_tokens ?? DEFAULT_DRAFT_TOKENS;
  const most = wholeNumber(limit, 'speculate.max_tokens', 1, MAX_DRAFT_TOKENS);
  await checkVocabulary(texts, draft);
  return { request: requestOf('draft'), draft: new SecondModel(draft as Model, samplers, most) };
}

/** A second model that goes on with the tokens as the first one may, by the same random numbers. */
class SecondModel {
  readonly #session: Session;
  readonly #options: GenerateOptions;
  readonly #most: number;
  readonly #n_ctx: number;
  #n: number; // tokens to propose next
  #proposed: readonly number[] = [];
  #at = 0; // how many tokens there were then

  constructor(model: Model, options: GenerateOptions, most: number) {
    this.#session = model.createSession();
    this.#options = options;
    this.#most = most;
    this.#n = Math.min(FIRST_DRAFT_TOKENS, most);
    this.#n_ctx = model.info.n_ctx;
  }

  /** One token more after a draft that was right, one less after a draft that was all wrong. */
  #adapt(tokens: readonly number[]): void {
    if (this.#proposed.length === 0) return;
    const wrong = this.#proposed.findIndex((token, i) => tokens[this.#at + i] !== token);
    if (wrong < 0) this.#n = Math.min(this.#n + 1, this.#most);
    else if (wrong === 0) this.#n = Math.max(this.#n - 1, 1);
  }

  /** Proposes what may follow the tokens. */
  async next(tokens: readonly number[], signal: AbortSignal): Promise<Int32Array> {
    this.#adapt(tokens);
    const max_tokens = Math.min(this.#n, this.#n_ctx - tokens.length);
    const proposed: number[] = [];
    this.#proposed = proposed;
    this.#at = tokens.length;
    if (max_tokens <= 0) return Int32Array.of(); // its context is smaller
    await this.#session.sync(tokens, { signal });
    try {
      const options = { ...this.#options, max_tokens, signal, trace: false, ignore_eos: true };
      for await (const { token } of this.#session.generate(undefined, options as GenerateOptions))
        proposed.push(token);
    } catch (error) {
      // the options may fit the first model's distributions only
      if (!(error instanceof TokenglassError) || error.code !== 'NO_CANDIDATES') throw error;
    }
    return Int32Array.from(proposed);
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}
