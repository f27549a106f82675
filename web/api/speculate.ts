/** The option `speculate` of generate(), and the second model of { draft: model }. */
import type { SpeculateRequest } from '../engine/speculation.js';
import { readMethodOptions } from '../methods/list.js';
import { indexIn, invalid, unsupported } from '../types/arguments.js';
import { TokenglassError, typed } from '../types/errors.js';
import { recyclingTrees } from '../types/generated.js';
import type { GenerateOptions, Model, Session } from '../types/types.js';
import type { Generation, Speculation } from './generation.js';

const NAMES = ['ngram', 'recycling', 'auto'] as const;
const FIRST_DRAFT_TOKENS = 4;

const requestOf = (method: SpeculateRequest['method'], tree = 0): SpeculateRequest => ({
  method,
  tree,
  tokens: undefined,
});

const compared = new WeakMap<object, WeakSet<object>>(); // models with one vocabulary

/** The texts of all tokens tell whether two models have one vocabulary. */
async function checkVocabulary(model: ModelCalls, draft: object): Promise<void> {
  if (compared.get(model)?.has(draft)) return;
  const own = await model.tokenTexts();
  const other = await (Reflect.apply(model.tokenTexts, draft, []) as Promise<string[]>);
  const different = own.findIndex((text, id) => text !== other[id]);
  if (own.length !== other.length || different >= 0)
    throw invalid(
      'speculate.draft has another vocabulary: ' +
        (own.length === other.length
          ? `token ${different} is ${JSON.stringify(other[different])}, not ` +
            JSON.stringify(own[different])
          : `${other.length} tokens, not ${own.length}`),
    );
  compared.set(model, (compared.get(model) ?? new WeakSet()).add(draft));
}

/** The calls of the generation's model. They refuse what is no model in place of `this`. */
type ModelCalls = Pick<Model, 'tokenTexts' | 'createSession'>;

/** A new session of the second model. */
function sessionOf(model: ModelCalls, draft: unknown): Session {
  try {
    return Reflect.apply(model.createSession, draft, []);
  } catch (error) {
    const isOther = error instanceof TokenglassError && error.code === 'INVALID_ARGUMENT';
    throw isOther ? invalid(`speculate.draft is ${typed(draft)}; it must be a model`) : error;
  }
}

/**
 * Checks the option of a generation of a model. Throws INVALID_ARGUMENT and OPTION_UNSUPPORTED, and
 * the errors of a second model.
 */
export async function speculationOf(
  { speculate: given, method: decoding, samplers }: Generation,
  model: ModelCalls,
): Promise<Speculation> {
  if (decoding) throw unsupported('speculate is not supported together with method');
  if (typeof given === 'string')
    return { request: requestOf(NAMES[indexIn(NAMES, given, 'speculate')]!) };
  if (Object(given) !== given)
    throw invalid(`speculate is ${typed(given)}; it must be a string, an object or false`);
  const options = given as object;
  if ('recycling' in options) {
    const { recycling } = readMethodOptions('recycling', options, 'speculate', [], 'speculate.');
    return { request: requestOf('recycling', recyclingTrees.indexOf(recycling)) };
  }
  const read = readMethodOptions('draft', options, 'speculate', [], 'speculate.');
  const session = sessionOf(model, read.draft);
  try {
    await checkVocabulary(model, read.draft as object);
  } catch (error) {
    await session.dispose();
    throw error;
  }
  const { n_ctx } = (read.draft as Model).info;
  const draft = new SecondModel(session, n_ctx, samplers, read.max_tokens);
  return { request: requestOf('draft'), draft };
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

  constructor(session: Session, n_ctx: number, options: GenerateOptions, most: number) {
    this.#session = session;
    this.#n_ctx = n_ctx;
    this.#options = options;
    this.#most = most;
    this.#n = Math.min(FIRST_DRAFT_TOKENS, most);
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
