/** Parses a template by Jinja2's grammar: the same precedence, the same quirks. */
import type {
  Arguments,
  Call,
  CallBlock,
  Data,
  Expression,
  Filter,
  If,
  Name,
  Signature,
  Slice,
  Statement,
  Target,
} from './ast.js';
import { Unsupported } from './errors.js';
import type { Token } from './lexer.js';
import * as meter from './meter.js';
import { checkInt } from './numbers.js';
import { join } from './strings.js';
import { TokenReader } from './token-reader.js';

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

/** Constants by their names. */
const CONSTANTS = new Map<string, null | boolean>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

const NO_ARGUMENTS: Arguments = {
  args: [],
  keywords: [],
  rest: undefined,
  restKeywords: undefined,
};

/** Statements of Jinja2 that need other templates or no text of their own. */
const UNSUPPORTED = ['autoescape', 'block', 'extends', 'from', 'import', 'include'];

export class Parser extends TokenReader {
  parse(): Statement[] {
    return this.#body([]);
  }

  // ---- statements ----

  /** Statements up to a tag with one of the names; the tag's name is the next token then. */
  #body(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    let output: (Expression | Data)[] = [];
    const flush = () => {
      const [first] = output;
      if (first) body.push({ kind: 'output', items: output, line: first.line });
      output = [];
    };
    for (;;) {
      const token = this.current;
      if (token.type === 'eof') {
        if (ends.length > 0) this.fail(`the template ends before ${ends.join(' or ')}`);
        flush();
        return body;
      }
      this.next();
      if (token.type === 'data') output.push({ kind: 'data', text: token.value, line: token.line });
      else if (token.type === 'variable_begin') {
        output.push(this.#tuple());
        this.expectEnd('variable_end');
      } else {
        flush();
        if (this.current.type === 'name' && ends.includes(this.current.value)) return body;
        body.push(this.deeper(() => this.#statement()));
        this.expectEnd('block_end');
      }
    }
  }

  /** The statements of a block: from the end of its tag to one of the end tags. */
  #block(...ends: string[]): Statement[] {
    this.skipOperator(':');
    this.expectEnd('block_end');
    return this.#body(ends);
  }

  /** The same, when there is one end tag. */
  #wholeBlock(end: string): Statement[] {
    const body = this.#block(end);
    this.next();
    return body;
  }

  #statement(): Statement {
    const token = this.current;
    if (token.type !== 'name') this.fail('tag name expected');
    const { line, value } = token;
    if (UNSUPPORTED.includes(value)) {
      meter.position.line = line;
      throw new Unsupported(`the statement '${value}' is not supported`);
    }
    this.next();
    switch (value) {
      case 'for':
        return this.#for(line);
      case 'if':
        return this.#if(line);
      case 'set':
        return this.#set(line);
      case 'macro':
        return this.#macro(line);
      case 'call':
        return this.#callBlock(line);
      case 'generation': {
        const body = this.#wholeBlock('endgeneration');
        return { kind: 'call_block', call: undefined, params: [], defaults: [], body, line };
      }
      case 'filter': {
        const filter = this.#filter(undefined, true) as Filter;
        return { kind: 'filter_block', filter, body: this.#wholeBlock('endfilter'), line };
      }
      case 'with':
        return this.#with(line);
      case 'print':
        return this.#print(line);
      case 'break':
      case 'continue':
        return { kind: value, line };
      default:
        this.fail(`Encountered unknown tag '${value}'`, token);
    }
  }

  #for(line: number): Statement {
    const target = this.#target();
    this.expectName('in');
    const iterable = this.#tuple({ conditional: false });
    const test = this.skipName('if') ? this.#expression() : undefined;
    const recursive = this.skipName('recursive');
    const body = this.#block('endfor', 'else');
    const otherwise = this.next().value === 'else' ? this.#wholeBlock('endfor') : [];
    return { kind: 'for', target, iterable, body, otherwise, test, recursive, line };
  }

  #if(line: number): If {
    const branch = (at: number): If => ({
      kind: 'if',
      test: this.#tuple({ conditional: false }),
      body: this.#block('elif', 'else', 'endif'),
      elifs: [],
      otherwise: [],
      line: at,
    });
    const result = branch(line);
    for (;;) {
      const { value } = this.next();
      if (value === 'elif') {
        result.elifs.push(branch(this.current.line));
        continue;
      }
      if (value === 'else') result.otherwise = this.#wholeBlock('endif');
      return result;
    }
  }

  #set(line: number): Statement {
    const target = this.#target({ namespaces: true });
    if (this.skipOperator('=')) return { kind: 'assign', target, value: this.#tuple(), line };
    const filter = this.#filter(undefined, false) as Filter | undefined;
    return { kind: 'assign_block', target, filter, body: this.#wholeBlock('endset'), line };
  }

  #with(line: number): Statement {
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (this.current.type !== 'block_end') {
      if (targets.length > 0) this.expectOperator(',');
      targets.push(this.#target({ use: 'param' }));
      this.expectOperator('=');
      values.push(this.#expression());
    }
    return { kind: 'with', targets, values, body: this.#wholeBlock('endwith'), line };
  }

  #print(line: number): Statement {
    const items: Expression[] = [];
    while (this.current.type !== 'block_end') {
      if (items.length > 0) this.expectOperator(',');
      items.push(this.#expression());
    }
    return { kind: 'output', items, line };
  }

  #macro(line: number): Statement {
    const { name } = this.#nameTarget('store');
    return { kind: 'macro', name, ...this.#signature(), body: this.#wholeBlock('endmacro'), line };
  }

  #callBlock(line: number): CallBlock {
    const signature = this.isOperator('(') ? this.#signature() : { params: [], defaults: [] };
    const call = this.#expression();
    if (call.kind !== 'call') this.fail('expected call');
    return { kind: 'call_block', call, ...signature, body: this.#wholeBlock('endcall'), line };
  }

  #signature(): Signature {
    const params: Name[] = [];
    const defaults: Expression[] = [];
    this.expectOperator('(');
    while (!this.isOperator(')')) {
      if (params.length > 0) this.expectOperator(',');
      params.push(this.#nameTarget('param'));
      if (this.skipOperator('=')) defaults.push(this.#expression());
      else if (defaults.length > 0) this.fail('non-default argument follows default argument');
    }
    this.next();
    return { params, defaults };
  }

  #nameTarget(use: 'store' | 'param'): Name {
    const { value, line } = this.expectName();
    if (CONSTANTS.has(value)) this.fail(`can't assign to '${value}'`);
    return { kind: 'name', name: value, use, line };
  }

  #target({
    namespaces = false,
    use = 'store',
  }: { namespaces?: boolean; use?: 'store' | 'param' } = {}): Target {
    const token = this.current;
    const node = this.#tuple({ primary: true, namespaces });
    const convert = (target: Expression): Target => {
      if (target.kind === 'tuple') return { ...target, items: target.items.map(convert) };
      if (target.kind === 'name') return { ...target, use };
      if (target.kind === 'nsref') return target;
      this.fail(`can't assign to '${target.kind}'`, token);
    };
    return convert(node);
  }

  // ---- expressions ----

  #expression(conditional = true): Expression {
    return this.deeper(() => (conditional ? this.#conditional() : this.#or()));
  }

  #conditional(): Expression {
    let { line } = this.current;
    let then = this.#or();
    while (this.skipName('if')) {
      const test = this.#or();
      const otherwise = this.skipName('else') ? this.deeper(() => this.#conditional()) : undefined;
      then = { kind: 'condition', test, then, otherwise, line };
      line = this.current.line;
    }
    return then;
  }

  /** Operands with operators of one level between them, from left to right. */
  #binary(operand: () => Expression, operatorOf: (token: Token) => string | undefined): Expression {
    let { line } = this.current;
    let left = operand();
    for (let n = 1, op = operatorOf(this.current); op; op = operatorOf(this.current), n++) {
      this.checkChain(n);
      this.next();
      left = { kind: 'binary', op, left, right: operand(), line };
      line = this.current.line;
    }
    return left;
  }
  #operators =
    (...all: string[]) =>
    ({ type, value }: Token) =>
      type === 'operator' && all.includes(value) ? value : undefined;

  #or(): Expression {
    return this.#binary(
      () => this.#and(),
      (token) => (this.isName('or', token) ? 'or' : undefined),
    );
  }
  #and(): Expression {
    return this.#binary(
      () => this.#not(),
      (token) => (this.isName('and', token) ? 'and' : undefined),
    );
  }
  #not(): Expression {
    if (!this.isName('not')) return this.#compare();
    const { line } = this.next();
    return { kind: 'unary', op: 'not', value: this.deeper(() => this.#not()), line };
  }

  #compare(): Expression {
    const { line } = this.current;
    const first = this.#sum();
    const ops: string[] = [];
    const others: Expression[] = [];
    for (;;) {
      const op = this.#operators(...COMPARISONS)(this.current);
      if (op) this.next();
      else if (this.skipName('in')) ops.push('in');
      else if (this.isName('not') && this.isName('in', this.ahead)) {
        this.next();
        this.next();
        ops.push('not in');
      } else break;
      if (op) ops.push(op);
      others.push(this.#sum());
    }
    return ops.length === 0 ? first : { kind: 'compare', first, ops, others, line };
  }

  #sum(): Expression {
    return this.#binary(() => this.#concat(), this.#operators('+', '-'));
  }
  #concat(): Expression {
    const { line } = this.current;
    const items = [this.#product()];
    while (this.skipOperator('~')) items.push(this.#product());
    const [first] = items;
    return items.length === 1 && first ? first : { kind: 'concat', items, line };
  }
  #product(): Expression {
    return this.#binary(() => this.#power(), this.#operators('*', '/', '//', '%'));
  }
  #power(): Expression {
    return this.#binary(() => this.#unary(), this.#operators('**'));
  }

  #unary(withFilter = true): Expression {
    const { line } = this.current;
    const op = this.#operators('-', '+')(this.current) as '-' | '+' | undefined;
    let node: Expression;
    if (op) {
      this.next();
      node = { kind: 'unary', op, value: this.deeper(() => this.#unary(false)), line };
    } else node = this.#primary();
    node = this.#postfix(node);
    return withFilter ? this.#filters(node) : node;
  }

  #primary(namespaces = false): Expression {
    const token = this.current;
    const { line, value } = token;
    switch (token.type) {
      case 'name': {
        this.next();
        const constant = CONSTANTS.get(value);
        if (constant !== undefined) return { kind: 'const', value: constant, line };
        if (namespaces && this.skipOperator('.'))
          return { kind: 'nsref', name: value, attribute: this.expectName().value, line };
        return { kind: 'name', name: value, use: 'load', line };
      }
      case 'string': {
        const parts: string[] = [];
        while (this.current.type === 'string') parts.push(this.next().value);
        return { kind: 'const', value: join('', parts), line };
      }
      case 'integer':
        this.next();
        return { kind: 'const', value: checkInt(BigInt(value)), line };
      case 'float':
        this.next();
        return { kind: 'const', value: Number(value), line };
      case 'operator':
        if (value === '(') {
          this.next();
          const node = this.#tuple({ parentheses: true });
          this.expectOperator(')');
          return node;
        }
        if (value === '[') return this.#list();
        if (value === '{') return this.#dict();
    }
    this.unexpected('an expression');
  }

  /**
   * Expressions with commas between them: a tuple, unless there is only one.
   * primary: names and literals only, as targets have.
   */
  #tuple({
    primary = false,
    conditional = true,
    namespaces = false,
    parentheses = false,
  }: {
    primary?: boolean;
    conditional?: boolean;
    namespaces?: boolean;
    parentheses?: boolean;
  } = {}): Expression {
    const { line } = this.current;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.expectOperator(',');
      const { type } = this.current;
      if (type === 'variable_end' || type === 'block_end' || this.isOperator(')')) break;
      items.push(
        primary ? this.deeper(() => this.#primary(namespaces)) : this.#expression(conditional),
      );
      if (!this.isOperator(',')) break;
      isTuple = true;
    }
    if (!isTuple) {
      const [only] = items;
      if (only) return only;
      if (!parentheses) this.unexpected('an expression');
    }
    return { kind: 'tuple', items, line };
  }

  #list(): Expression {
    return { kind: 'list', ...this.#bracketed(']', () => [this.#expression()]) };
  }

  #dict(): Expression {
    const entry = () => {
      const key = this.#expression();
      this.expectOperator(':');
      return [key, this.#expression()];
    };
    return { kind: 'dict', ...this.#bracketed('}', entry) };
  }

  /** Elements between brackets, with commas between them; a comma may follow the last one. */
  #bracketed(close: string, element: () => Expression[]): { items: Expression[]; line: number } {
    const { line } = this.next();
    const items: Expression[] = [];
    while (!this.isOperator(close)) {
      if (items.length > 0) this.expectOperator(',');
      if (this.isOperator(close)) break;
      items.push(...element());
    }
    this.next();
    return { items, line };
  }

  /** Attributes, items and calls behind an expression. */
  #postfix(node: Expression): Expression {
    for (let n = 0; ; n++) {
      this.checkChain(n);
      if (this.isOperator('.') || this.isOperator('[')) node = this.#subscript(node);
      else if (this.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  /** Filters and tests behind an expression. */
  #filters(node: Expression): Expression {
    for (let n = 0; ; n++) {
      this.checkChain(n);
      if (this.isOperator('|')) node = this.#filter(node, false) as Expression;
      else if (this.isName('is')) node = this.#test(node);
      else if (this.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  #call(callee: Expression): Call {
    const { line } = this.current;
    return { kind: 'call', callee, arguments: this.#arguments(), line };
  }

  #subscript(object: Expression): Expression {
    const { line, value } = this.next();
    if (value === '.') {
      const attribute = this.next();
      if (attribute.type === 'name')
        return { kind: 'attribute', object, name: attribute.value, line };
      if (attribute.type !== 'integer') this.fail('expected name or number', attribute);
      const index: Expression = {
        kind: 'const',
        value: checkInt(BigInt(attribute.value)),
        line: attribute.line,
      };
      return { kind: 'item', object, index, line };
    }
    const items: Expression[] = [];
    while (!this.isOperator(']')) {
      if (items.length > 0) this.expectOperator(',');
      items.push(this.deeper(() => this.#subscribed()));
    }
    this.next();
    const [only] = items;
    if (items.length === 1 && only) return { kind: 'item', object, index: only, line };
    if (items.some(({ kind }) => kind === 'slice')) {
      meter.position.line = line;
      throw new Unsupported('several slices in brackets are not supported');
    }
    return { kind: 'item', object, index: { kind: 'tuple', items, line }, line };
  }

  #subscribed(): Expression {
    const { line } = this.current;
    const start = this.isOperator(':') ? undefined : this.#expression();
    if (start && !this.isOperator(':')) return start;
    this.expectOperator(':');
    const ends = () => this.isOperator(']') || this.isOperator(',');
    const slice: Slice = { kind: 'slice', start, stop: undefined, step: undefined, line };
    if (!this.isOperator(':') && !ends()) slice.stop = this.#expression();
    if (this.skipOperator(':') && !ends()) slice.step = this.#expression();
    return slice;
  }

  #arguments(): Arguments {
    const token = this.expectOperator('(');
    const result: Arguments = { args: [], keywords: [], rest: undefined, restKeywords: undefined };
    const ensure = (valid: boolean) => {
      if (!valid) this.fail('invalid syntax for function call expression', token);
    };
    for (let first = true; !this.isOperator(')'); first = false) {
      if (!first) {
        this.expectOperator(',');
        if (this.isOperator(')')) break;
      }
      const { rest, restKeywords, keywords } = result;
      if (this.skipOperator('*')) {
        ensure(!rest && !restKeywords);
        result.rest = this.#expression();
      } else if (this.skipOperator('**')) {
        ensure(!restKeywords);
        result.restKeywords = this.#expression();
      } else if (this.current.type === 'name' && this.isOperator('=', this.ahead)) {
        ensure(!restKeywords);
        const { value: name, line } = this.next();
        this.next();
        keywords.push({ kind: 'keyword', name, value: this.#expression(), line });
      } else {
        ensure(!rest && !restKeywords && keywords.length === 0);
        result.args.push(this.#expression());
      }
    }
    this.next();
    const names = result.keywords.map(({ name }) => name);
    if (new Set(names).size < names.length) this.fail('keyword argument repeated', token);
    return result;
  }

  /** The name of a filter or a test: names with dots between them. */
  #dottedName(): string {
    const parts = [this.expectName().value];
    while (this.skipOperator('.')) parts.push(this.expectName().value);
    return parts.join('.');
  }

  /** Filters behind a value. inline: the first one has no '|' before it. */
  #filter(value: Expression | undefined, inline: boolean): Expression | undefined {
    for (let n = 1; inline || this.isOperator('|'); n++) {
      this.checkChain(n);
      if (!inline) this.next();
      const { line } = this.current;
      const name = this.#dottedName();
      const args = this.isOperator('(') ? this.#arguments() : NO_ARGUMENTS;
      value = { kind: 'filter', value, name, arguments: args, line };
      inline = false;
    }
    return value;
  }

  #test(value: Expression): Expression {
    const { line } = this.next();
    const negated = this.skipName('not');
    const name = this.#dottedName();
    let args = NO_ARGUMENTS;
    const { type } = this.current;
    const isOperand =
      ['name', 'string', 'integer', 'float'].includes(type) ||
      this.isOperator('[') ||
      this.isOperator('{');
    if (this.isOperator('(')) args = this.#arguments();
    else if (isOperand && !['else', 'or', 'and'].some((word) => this.isName(word))) {
      if (this.isName('is')) this.fail('You cannot chain multiple tests with is');
      const operand = this.deeper(() => this.#postfix(this.#primary()));
      args = { ...NO_ARGUMENTS, args: [operand] };
    }
    const test: Expression = { kind: 'test', value, name, arguments: args, line };
    return negated ? { kind: 'unary', op: 'not', value: test, line } : test;
  }
}
