/**
 * Grammars: compiles a JSON schema or EBNF for a model's vocabulary and gives, for each step, the
 * tokens that may come next. XGrammar (github.com/mlc-ai/xgrammar, compiled to WebAssembly by its
 * authors) does the work. Loaded with the first grammar.
 */
import * as library from '@mlc-ai/web-xgrammar';
import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from '@mlc-ai/web-xgrammar';
import { TokenglassError } from '../types/errors.js';
import type { Constraint, ConstraintState, GrammarSpec } from '../types/types.js';

/** What a grammar needs to know about a vocabulary. */
export interface GrammarVocabulary {
  /** The text of each token; '' for a token that is not text. */
  texts: string[];
  /** Ids of the tokens that end a generation. */
  ends: Int32Array;
}

const MAX_SOURCE = 256 * 1024; // characters of a grammar or schema
const ANY_OBJECT = '{"type":"object","additionalProperties":true}';

/** One compiler for each model: it holds the vocabulary. */
const compilers = new WeakMap<object, Promise<GrammarCompiler>>();

async function newCompiler({ texts, ends }: GrammarVocabulary): Promise<GrammarCompiler> {
  const info = await library.TokenizerInfo.createTokenizerInfo(
    texts,
    'byte_fallback',
    false,
    texts.length,
    [...ends],
  );
  return library.GrammarCompiler.createGrammarCompiler(info);
}

function compilerOf(
  model: object,
  vocabulary: () => Promise<GrammarVocabulary>,
): Promise<GrammarCompiler> {
  let compiler = compilers.get(model);
  if (!compiler) {
    compiler = vocabulary().then(newCompiler);
    compilers.set(model, compiler);
  }
  return compiler;
}

/** Lines that the library prints where it should throw; the build collects them (build.mjs). */
const { said: printed } = library as unknown as { said: string[] };

/** Runs the work; its exception becomes GRAMMAR_INVALID with the library's first line. */
async function withErrors<T>(work: () => Promise<T>): Promise<T> {
  printed.length = 0;
  try {
    return await work();
  } catch (cause) {
    const [first = String(cause)] = printed;
    throw new TokenglassError('GRAMMAR_INVALID', first.replace(/^.*?\.cc:\d+: /, ''), { cause });
  }
}

class State implements ConstraintState {
  readonly #matcher: GrammarMatcher;

  constructor(matcher: GrammarMatcher) {
    this.#matcher = matcher;
  }

  allowed(): Promise<Int32Array> {
    return this.#matcher.getNextTokenBitmask();
  }

  accept(token: number): void {
    if (!this.#matcher.acceptToken(token))
      throw new TokenglassError('GRAMMAR_INVALID', `the grammar does not allow token ${token}`);
  }

  get ended(): boolean {
    return this.#matcher.isTerminated();
  }

  dispose(): void {
    this.#matcher.dispose();
  }
}

/** The schema or grammar as text. */
function sourceOf(spec: GrammarSpec): string {
  let source: string | undefined;
  switch (spec?.type) {
    case 'json':
      return ANY_OBJECT;
    case 'json_schema':
      source = JSON.stringify(spec.schema);
      break;
    case 'ebnf':
      source = spec.grammar;
      break;
    default:
      throw new TokenglassError(
        'INVALID_ARGUMENT',
        `createGrammar has no type "${String((spec as { type?: unknown } | undefined)?.type)}"; known: json, json_schema, ebnf`,
      );
  }
  if (typeof source !== 'string' || source.length > MAX_SOURCE) {
    throw new TokenglassError(
      'GRAMMAR_INVALID',
      `a grammar is a text or a schema of at most ${MAX_SOURCE} characters`,
    );
  }
  return source;
}

export async function createGrammar(
  model: object,
  vocabulary: () => Promise<GrammarVocabulary>,
  spec: GrammarSpec,
): Promise<Constraint> {
  const source = sourceOf(spec);
  const compiler = await compilerOf(model, vocabulary);
  const compiled: CompiledGrammar = await withErrors(() =>
    spec.type === 'ebnf'
      ? compiler.compileGrammar(source)
      : compiler.compileJSONSchema(source, false, -1, [',', ':'], true),
  );
  return {
    begin: async () => new State(await library.GrammarMatcher.createGrammarMatcher(compiled)),
  };
}
