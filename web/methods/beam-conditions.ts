/** The conditions of beam search, and the checks of what a caller's own condition gives. */
import {
  MAX_POSITIONS,
  bitsOf,
  flag,
  invalid,
  readOptions,
  reading,
  textOf,
  wholeNumber,
} from '../types/arguments.js';
import { ask } from '../types/ask.js';
import { typed } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import type {
  AnyBeamCondition,
  BeamCondition,
  BeamConditionSpec,
  Constraint,
  ConstraintState,
  ContainsCondition,
  GrammarCondition,
  GrammarSpec,
  LengthCondition,
  Model,
} from '../types/types.js';
import { bitOf } from './runs.js';
import { SuffixAutomaton } from './suffix-automaton.js';

const DEFAULT_REPEAT = 3;
const DEFAULT_COPY = 4;
const MAX_STATES = 256; // of a grammar, kept for texts that may continue
const DEFAULT_PROBABILITY = 0.01; // that a text without the string so far will contain it

/** What conditions are made from. */
export interface ConditionContext {
  model: Model;
  /** The prompt's tokens. */
  prompt: readonly number[];
  /** The tokens that end a text. */
  ends: ReadonlySet<number>;
}

/** A condition of this package. */
interface OwnCondition extends BeamCondition {
  /** Frees what the condition holds. */
  dispose?(): void;
}

/** Bits of all tokens with this value, and of the end tokens with the other one. */
function endBits({ model, ends }: ConditionContext, end: boolean): Int32Array {
  const bits = new Int32Array((model.info.n_vocab + 31) >> 5).fill(end ? 0 : -1);
  for (const token of ends) bits[token >> 5]! ^= 1 << (token & 31);
  return bits;
}

function lengthCondition(spec: LengthCondition, context: ConditionContext): OwnCondition {
  const n = wholeNumber(spec.n, 'condition.n', 0, MAX_POSITIONS);
  const goOn = endBits(context, false);
  const atEnd = flag(spec.end, 'condition.end', true)
    ? endBits(context, true)
    : new Int32Array(goOn.length); // complete, so nothing can follow
  return {
    prefix: (tokens) => (tokens.length <= n ? 0 : -Infinity),
    complete: (tokens) => tokens.length === n,
    allowed: (tokens) => (tokens.length < n ? goOn : atEnd),
  };
}

function nonEmptyCondition(context: ConditionContext): OwnCondition {
  const goOn = endBits(context, false);
  return {
    prefix: () => 0,
    complete: (tokens) => tokens.length > 0,
    allowed: (tokens) => (tokens.length === 0 ? goOn : undefined),
  };
}

/** Whether the last n tokens also occur earlier. */
function repeats(tokens: readonly number[], n: number): boolean {
  const last = tokens.length - n;
  for (let start = 0; start < last; start++) {
    let i = 0;
    while (i < n && tokens[start + i] === tokens[last + i]) i++;
    if (i === n) return true;
  }
  return false;
}

/** A condition that a text loses with its last tokens: a finished text must never have lost it. */
const lastTokensCondition = (isLost: (tokens: readonly number[]) => boolean): OwnCondition => ({
  prefix: (tokens) => (isLost(tokens) ? -Infinity : 0),
  complete: (tokens) => !tokens.some((_, i) => isLost(tokens.slice(0, i + 1))),
});

function noCopyCondition(m: number, { prompt }: ConditionContext): OwnCondition {
  const automaton = new SuffixAutomaton(prompt);
  return lastTokensCondition(
    (tokens) => tokens.length >= m && automaton.contains(tokens.slice(-m)),
  );
}

function containsCondition(spec: ContainsCondition): OwnCondition {
  const wanted = textOf(spec.text, 'condition.text');
  const { probability = DEFAULT_PROBABILITY } = spec;
  if (!(typeof probability === 'number' && probability > 0 && probability <= 1))
    throw invalid(
      `condition.probability is ${typed(probability, 'number')}; it must be above 0, at most 1`,
    );
  /** How many characters of the wanted text the text ends with. */
  const started = (text: string) => {
    for (let n = Math.min(wanted.length, text.length); n > 0; n--)
      if (text.endsWith(wanted.slice(0, n))) return n;
    return 0;
  };
  return {
    prefix: (_, text) =>
      text.includes(wanted) ? 0 : Math.log(probability) * (1 - started(text) / wanted.length),
    complete: (_, text) => text.includes(wanted),
  };
}

/** A grammar; the states of the texts of the last step go on where a text continues. */
class GrammarText implements OwnCondition {
  readonly #grammar: Constraint;
  readonly #own: boolean; // made here, so freed here
  readonly #context: ConditionContext;
  readonly #states = new Map<string, ConstraintState>();
  #disposed = false;

  constructor(grammar: Constraint, own: boolean, context: ConditionContext) {
    this.#grammar = grammar;
    this.#own = own;
    this.#context = context;
  }

  async #bits(state: ConstraintState): Promise<Int32Array> {
    const bits = await ask('allowed() of the grammar', () => state.allowed());
    const { n_vocab } = this.#context.model.info;
    return bitsOf(bits, n_vocab, 'what allowed() of the grammar gives', invalid);
  }

  /** A state after the tokens, and whether the grammar allows all of them. */
  async #replay(tokens: readonly number[]): Promise<{ state: ConstraintState; fits: boolean }> {
    const state = await ask('begin() of the grammar', () => this.#grammar.begin());
    for (const token of tokens) {
      if (!bitOf(await this.#bits(state), token)) return { state, fits: false };
      await ask('accept() of the grammar', () => state.accept(token));
    }
    return { state, fits: true };
  }

  async allowed(tokens: readonly number[]): Promise<Int32Array> {
    const before = tokens.slice(0, -1).join();
    let state = tokens.length > 0 ? this.#states.get(before) : undefined;
    if (state) {
      this.#states.delete(before);
      const held = state;
      await ask('accept() of the grammar', () => held.accept(tokens.at(-1)!));
    } else {
      ({ state } = await this.#replay(tokens));
    }
    this.#keep(tokens.join(), state);
    return this.#bits(state);
  }

  #keep(key: string, state: ConstraintState): void {
    this.#states.get(key)?.dispose?.();
    this.#states.set(key, state);
    if (this.#states.size <= (this.#disposed ? 0 : MAX_STATES)) return;
    const [oldest] = this.#states.keys();
    this.#states.get(oldest!)!.dispose?.();
    this.#states.delete(oldest!);
  }

  prefix(): number {
    return 0; // allowed() says everything
  }

  async complete(tokens: readonly number[]): Promise<boolean> {
    const { state, fits } = await this.#replay(tokens);
    try {
      if (!fits) return false;
      const bits = await this.#bits(state);
      return (
        bits.every((word) => word === 0) || [...this.#context.ends].some((end) => bitOf(bits, end))
      );
    } finally {
      state.dispose?.();
    }
  }

  dispose(): void {
    this.#disposed = true;
    for (const state of this.#states.values()) state.dispose?.();
    if (this.#own) this.#grammar.dispose?.();
  }
}

async function grammarCondition(
  { grammar }: GrammarCondition,
  context: ConditionContext,
): Promise<OwnCondition> {
  const isReady = reading('condition.grammar', () => 'begin' in grammar);
  const made = isReady
    ? (grammar as Constraint)
    : await context.model.createGrammar(grammar as GrammarSpec);
  return new GrammarText(made, !isReady, context);
}

const OPTIONS: Record<BeamConditionSpec['type'], readonly string[]> = {
  length: ['n', 'end'],
  non_empty: [],
  no_repeat: ['n'],
  no_copy: ['m'],
  contains: ['text', 'probability'],
  grammar: ['grammar'],
};

async function ownCondition(
  given: BeamConditionSpec,
  context: ConditionContext,
): Promise<OwnCondition> {
  const type = reading('condition', () => given.type);
  if (!Object.hasOwn(OPTIONS, type ?? ''))
    throw invalid(
      `condition.type is ${typed(type, 'string')}${suggestion(type, Object.keys(OPTIONS))}`,
    );
  const spec = readOptions(given, ['type', ...OPTIONS[type]], `condition ${type}`);
  switch (spec.type) {
    case 'length':
      return lengthCondition(spec, context);
    case 'non_empty':
      return nonEmptyCondition(context);
    case 'no_repeat': {
      const n = wholeNumber(spec.n ?? DEFAULT_REPEAT, 'condition.n', 1, MAX_POSITIONS);
      return lastTokensCondition((tokens) => repeats(tokens, n));
    }
    case 'no_copy':
      return noCopyCondition(
        wholeNumber(spec.m ?? DEFAULT_COPY, 'condition.m', 1, MAX_POSITIONS),
        context,
      );
    case 'contains':
      return containsCondition(spec);
    case 'grammar':
      return grammarCondition(spec, context);
  }
}

/** All conditions of a search as one. What callers give is checked. */
export class Conditions {
  readonly #conditions: OwnCondition[] = [];
  readonly #context: ConditionContext;

  private constructor(context: ConditionContext) {
    this.#context = context;
  }

  /** The caller disposes the result. */
  static async make(
    given: readonly AnyBeamCondition[],
    context: ConditionContext,
  ): Promise<Conditions> {
    const all = new Conditions(context);
    try {
      for (const condition of given) {
        const isOwn = reading(
          'condition',
          () => typeof (condition as BeamCondition)?.prefix !== 'function',
        );
        all.#conditions.push(
          isOwn ? await ownCondition(condition as BeamConditionSpec, context) : checked(condition),
        );
      }
    } catch (error) {
      all.dispose();
      throw error;
    }
    return all;
  }

  /** The bits of the tokens that may come next; undefined: all tokens. */
  async allowed(tokens: readonly number[], text: string): Promise<Int32Array | undefined> {
    const { n_vocab } = this.#context.model.info;
    let all: Int32Array | undefined;
    for (const condition of this.#conditions) {
      if (!condition.allowed) continue;
      const given = await ask('allowed() of the condition', () => condition.allowed!(tokens, text));
      if (given === undefined) continue;
      const bits = bitsOf(given, n_vocab, 'what allowed() of the condition gives', invalid);
      if (all) for (const i of bits.keys()) bits[i]! &= all[i]!;
      all = bits;
    }
    return all;
  }

  /** The estimate of the log-probability of all conditions. */
  async prefix(tokens: readonly number[], text: string): Promise<number> {
    let sum = 0;
    for (const condition of this.#conditions) {
      const value = await ask('prefix() of the condition', () => condition.prefix(tokens, text));
      if (!(typeof value === 'number' && value <= 0))
        throw invalid(
          `prefix() of the condition gives ${typed(value, 'number')}; ` +
            'it must be a log-probability, a number of at most 0',
        );
      sum += value;
      if (sum === -Infinity) break;
    }
    return sum;
  }

  /** Whether the finished text fits all conditions. */
  async complete(tokens: readonly number[], text: string): Promise<boolean> {
    for (const condition of this.#conditions) {
      const fits = await ask('complete() of the condition', () => condition.complete(tokens, text));
      if (typeof fits !== 'boolean')
        throw invalid(`complete() of the condition gives ${typed(fits)}; it must be true or false`);
      if (!fits) return false;
    }
    return true;
  }

  dispose(): void {
    for (const condition of this.#conditions) condition.dispose?.();
  }
}

/** A caller's own condition without its dispose, which is not part of the interface. */
function checked(condition: AnyBeamCondition): BeamCondition {
  const own = condition as BeamCondition;
  return reading('condition', () => {
    if (typeof own.complete !== 'function')
      throw invalid(`condition is ${typed(own)} without complete(), which it must have`);
    const { allowed } = own;
    if (allowed !== undefined && typeof allowed !== 'function')
      throw invalid(`allowed of the condition is ${typed(allowed)}; it must be a function`);
    return {
      prefix: (tokens, text) => own.prefix(tokens, text),
      complete: (tokens, text) => own.complete(tokens, text),
      ...(allowed && { allowed: (tokens, text) => own.allowed!(tokens, text) }),
    };
  });
}
