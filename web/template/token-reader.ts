/** The tokens of a template, one after the other, and what a parser asks about them. */
import { LimitExceeded, TemplateError } from './errors.js';
import { tokenize } from './lexer.js';
import type { Token } from './lexer.js';
import * as meter from './meter.js';

const MAX_CHAIN = 200; // operators, attributes or filters behind each other
const MAX_OPEN = 90; // expressions or statements that are open at once

export abstract class TokenReader {
  readonly #tokens: Token[];
  #at = 0;
  #open = 0;

  constructor(template: string) {
    this.#tokens = tokenize(template);
  }

  protected get current(): Token {
    return this.#tokens[this.#at] as Token;
  }
  protected next(): Token {
    meter.step();
    const token = this.current;
    if (token.type !== 'eof') this.#at++;
    return token;
  }
  protected get ahead(): Token {
    return this.#tokens[this.#at + 1] ?? this.current;
  }
  protected fail(message: string, token = this.current): never {
    meter.position.line = token.line;
    throw new TemplateError(message);
  }
  protected unexpected(expected: string): never {
    const { type, value } = this.current;
    const found = type === 'eof' ? 'the end of the template' : value || type;
    this.fail(`expected ${expected}, got ${found}`);
  }
  protected isOperator(value: string, token = this.current): boolean {
    return token.type === 'operator' && token.value === value;
  }
  protected isName(value: string, token = this.current): boolean {
    return token.type === 'name' && token.value === value;
  }
  protected skipOperator(value: string): boolean {
    const found = this.isOperator(value);
    if (found) this.next();
    return found;
  }
  protected skipName(value: string): boolean {
    const found = this.isName(value);
    if (found) this.next();
    return found;
  }
  protected expectOperator(value: string): Token {
    if (!this.isOperator(value)) this.unexpected(`'${value}'`);
    return this.next();
  }
  protected expectName(value?: string): Token {
    const { type } = this.current;
    if (type !== 'name' || (value && !this.isName(value))) this.unexpected(value ?? 'a name');
    return this.next();
  }
  protected expectEnd(type: 'block_end' | 'variable_end'): void {
    if (this.current.type !== type) this.unexpected(type === 'block_end' ? '%}' : '}}');
    this.next();
  }

  /** Checks the length of a chain: its tree is as deep as the chain is long. */
  protected checkChain(n: number): void {
    if (n > MAX_CHAIN)
      throw new LimitExceeded(
        `it has more than ${MAX_CHAIN} operators, attributes or filters in a row`,
      );
  }

  /** Runs a part of the parser that may call itself. */
  protected deeper<T>(run: () => T): T {
    if (++this.#open > MAX_OPEN)
      throw new LimitExceeded(`its tags and brackets are nested more than ${MAX_OPEN} deep`);
    const result = run();
    this.#open--;
    return result;
  }
}
