/** Grammars that constrain what can be drawn: in, a vocabulary and a JSON schema or EBNF; out, for each step the tokens with which the text can go on, as bits.
 * XGrammar (github.com/mlc-ai/xgrammar, compiled to WebAssembly by its authors) does the work. Loaded when a grammar is asked for. */
import * as library from '@mlc-ai/web-xgrammar';
import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from '@mlc-ai/web-xgrammar';
import { TokenglassError } from '../types/errors.js';
import type { Constraint, ConstraintState, GrammarSpec } from '../types/types.js';

export interface GrammarVocabulary {
  /** By token; '' for those that are no text. */
  texts: string[];
  /** Tokens that end a generation. */
  ends: Int32Array;
}

const MOST_SOURCE = 256 * 1024; // characters of a grammar or schema

const compilers = new WeakMap<object, Promise<GrammarCompiler>>();

async function compilerOf(
  owner: object,
  vocabulary: () => Promise<GrammarVocabulary>,
): Promise<GrammarCompiler> {
  let compiler = compilers.get(owner);
  if (!compiler) {
    compiler = vocabulary().then(async ({ texts, ends }) => {
      const info = await library.TokenizerInfo.createTokenizerInfo(
        texts,
        'byte_fallback',
        false,
        texts.length,
        [...ends],
      );
      return library.GrammarCompiler.createGrammarCompiler(info);
    });
    compilers.set(owner, compiler);
  }
  return compiler;
}

/** Lines that the library writes instead of throwing them (build.mjs). */
const { said } = library as unknown as { said: string[] };

async function listening<T>(work: () => Promise<T>): Promise<T> {
  said.length = 0;
  try {
    return await work();
  } catch (cause) {
    const [first = String(cause)] = said;
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
      throw new TokenglassError('GRAMMAR_INVALID', `token ${token} does not go on by the grammar`);
  }

  get ended(): boolean {
    return this.#matcher.isTerminated();
  }

  dispose(): void {
    this.#matcher.dispose();
  }
}

const ANY_OBJECT = '{"type":"object","additionalProperties":true}';

function sourceOf(spec: GrammarSpec): string | undefined {
  switch (spec?.type) {
    case 'json':
      return ANY_OBJECT;
    case 'json_schema':
      return JSON.stringify(spec.schema);
    case 'ebnf':
      return spec.grammar;
    default:
      throw new TokenglassError(
        'INVALID_ARGUMENT',
        `createGrammar has no type "${String((spec as { type?: unknown } | undefined)?.type)}"; known: json, json_schema, ebnf`,
      );
  }
}

export async function createGrammar(
  owner: object,
  vocabulary: () => Promise<GrammarVocabulary>,
  spec: GrammarSpec,
): Promise<Constraint> {
  const source = sourceOf(spec);
  if (typeof source !== 'string' || source.length > MOST_SOURCE) {
    throw new TokenglassError(
      'GRAMMAR_INVALID',
      `a grammar is a text or a schema of at most ${MOST_SOURCE} characters`,
    );
  }
  const compiler = await compilerOf(owner, vocabulary);
  const compiled: CompiledGrammar = await listening(() =>
    spec.type === 'ebnf'
      ? compiler.compileGrammar(source)
      : compiler.compileJSONSchema(source, false, -1, [',', ':'], true),
  );
  return {
    begin: async () => new State(await library.GrammarMatcher.createGrammarMatcher(compiled)),
  };
}
