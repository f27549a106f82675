// A plain recognizer of grammar text: GBNF and %unordered. It reads code points, keeps every way
// that the text can go on as a chain of frames, and has no limits. A second opinion beside the
// engine, and the judge of grammars that were made from schemas.

/** Characters after a backslash that mean themselves or a control character. */
const ESCAPES = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', '[': '[', ']': ']' };
const HEX = { x: 2, u: 4, U: 8 }; // digits after \x, \u, \U

class Parser {
  constructor(text) {
    this.text = text;
    this.index = 0;
  }

  fail(reason) {
    const near = JSON.stringify(this.text.slice(this.index, this.index + 40));
    throw new Error(`grammar text, character ${this.index}: ${reason} at ${near}`);
  }

  space() {
    const [skipped] = /^(?:\s|#.*)*/.exec(this.text.slice(this.index, this.index + 1000));
    this.index += skipped.length;
  }

  take(token) {
    this.space();
    if (!this.text.startsWith(token, this.index)) return false;
    this.index += token.length;
    return true;
  }

  match(pattern) {
    this.space();
    pattern.lastIndex = this.index;
    const match = pattern.exec(this.text);
    if (match) this.index = pattern.lastIndex;
    return match;
  }

  rules() {
    const rules = new Map();
    for (this.space(); this.index < this.text.length; this.space()) {
      const head = this.match(/([A-Za-z][A-Za-z0-9_-]*)\s*::=/y) ?? this.fail('no rule');
      rules.set(head[1], this.choice());
    }
    return rules;
  }

  choice() {
    const ways = [this.sequence()];
    while (this.take('|')) ways.push(this.sequence());
    return ways.length === 1 ? ways[0] : { type: 'choice', ways };
  }

  sequence() {
    const parts = [];
    for (;;) {
      this.space();
      const rest = this.text.slice(this.index, this.index + 200);
      if (rest === '' || /^[|)]/.test(rest) || /^[A-Za-z][A-Za-z0-9_-]*\s*::=/.test(rest)) break;
      parts.push(this.repeated(this.primary()));
    }
    return parts.length === 1 ? parts[0] : { type: 'sequence', parts };
  }

  repeated(part) {
    for (;;) {
      if (this.take('*')) part = { type: 'repeat', part, min: 0, max: Infinity };
      else if (this.take('+')) part = { type: 'repeat', part, min: 1, max: Infinity };
      else if (this.take('?')) part = { type: 'repeat', part, min: 0, max: 1 };
      else {
        const bounds = this.bounds();
        if (!bounds) return part;
        part = { type: 'repeat', part, ...bounds };
      }
    }
  }

  bounds() {
    const match = this.match(/\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}/y);
    if (!match) return undefined;
    const min = Number(match[1]);
    return { min, max: match[2] ? (match[3] ? Number(match[3]) : Infinity) : min };
  }

  primary() {
    if (this.take('(')) {
      const inner = this.choice();
      return this.take(')') ? inner : this.fail('no ")"');
    }
    if (this.take('%unordered')) return this.unordered();
    if (this.take('"')) {
      const parts = [];
      while (this.text[this.index] !== '"') {
        const code = this.character();
        parts.push({ type: 'class', ranges: [[code, code]] });
      }
      this.index++;
      return parts.length === 1 ? parts[0] : { type: 'sequence', parts };
    }
    if (this.take('[')) return this.class();
    const name = this.match(/[A-Za-z][A-Za-z0-9_-]*/y) ?? this.fail('no part of a rule');
    return { type: 'rule', name: name[0] };
  }

  character() {
    const code = this.text.codePointAt(this.index) ?? this.fail('the end');
    this.index += code > 0xffff ? 2 : 1;
    if (code !== 0x5c) return code;
    const letter = this.text[this.index++];
    if (ESCAPES[letter]) return ESCAPES[letter].codePointAt(0);
    const digits = this.text.slice(this.index, this.index + (HEX[letter] ?? this.fail('escape')));
    this.index += digits.length;
    return /^[0-9A-Fa-f]+$/.test(digits) ? parseInt(digits, 16) : this.fail('escape');
  }

  class() {
    const negative = this.text[this.index] === '^';
    if (negative) this.index++;
    const ranges = [];
    while (this.text[this.index] !== ']') {
      const first = this.character();
      let last = first;
      if (this.text[this.index] === '-' && this.text[this.index + 1] !== ']') {
        this.index++;
        last = this.character();
      }
      ranges.push([first, last]);
    }
    this.index++;
    return { type: 'class', ranges: negative ? inverse(ranges) : ranges };
  }

  unordered() {
    if (!this.take('(')) this.fail('no "("');
    const separator = this.primary();
    if (!this.take(':')) this.fail('no ":"');
    const items = [];
    do {
      const part = this.primary();
      const mark = this.take('!') ? '!' : this.take('*') ? '*' : '';
      items.push({
        part,
        /** The part after a separator. */
        after: { type: 'sequence', parts: [part] },
        required: mark === '!',
        many: mark === '*',
      });
    } while (this.take(','));
    if (!this.take(')')) this.fail('no ")"');
    return { type: 'unordered', separator, items, min: 0, max: Infinity, ...this.bounds() };
  }
}

function inverse(ranges) {
  const result = [];
  let next = 0;
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (first > next) result.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  return next <= 0x10ffff ? [...result, [next, 0x10ffff]] : result;
}

/** A grammar, and the states of texts that follow it. */
export class ReferenceGrammar {
  #rules;
  #frames = new Map();
  #ids = new Map();

  constructor(text) {
    this.#rules = new Parser(text).rules();
    if (!this.#rules.has('root')) throw new Error('no rule is named root');
  }

  #id(node) {
    let id = this.#ids.get(node);
    if (id === undefined) this.#ids.set(node, (id = this.#ids.size));
    return id;
  }

  /** What comes after a part: the node, where in the node the text is, and what comes after it. */
  #frame(node, at, next) {
    const key = `${this.#id(node)} ${at.join()} ${next?.id ?? ''}`;
    let frame = this.#frames.get(key);
    if (!frame) this.#frames.set(key, (frame = { node, at, next, id: this.#frames.size }));
    return frame;
  }

  /** All classes that may read the next character, each with what comes after. */
  #state(starts) {
    const ways = [];
    let ended = false;
    const seen = new Set();
    const queue = [...starts];
    const match = (node, next) => queue.push([node, next]);
    const resume = (frame) => (frame === undefined ? (ended = true) : queue.push([null, frame]));
    while (queue.length > 0) {
      const [node, frame] = queue.pop();
      const key = `${node ? this.#id(node) : ''} ${frame?.id ?? ''}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (node === null) this.#resume(frame, match, resume);
      else this.#enter(node, frame, ways, match, resume);
    }
    return { ways, ended };
  }

  #enter(node, next, ways, match, resume) {
    switch (node.type) {
      case 'class':
        ways.push({ ranges: node.ranges, next });
        break;
      case 'rule':
        match(this.#rules.get(node.name) ?? this.#missing(node.name), next);
        break;
      case 'choice':
        for (const way of node.ways) match(way, next);
        break;
      case 'sequence':
        resume(this.#frame(node, [0], next));
        break;
      default: // repeat, unordered: how many so far, and which items
        resume(this.#frame(node, [0, 0n], next));
    }
  }

  #missing(name) {
    throw new Error(`the grammar has no rule ${name}`);
  }

  #resume({ node, at: [count, mask], next }, match, resume) {
    if (node.type === 'sequence') {
      if (count === node.parts.length) resume(next);
      else match(node.parts[count], this.#frame(node, [count + 1], next));
      return;
    }
    const { min, max } = node;
    const more = max === Infinity ? Math.min(count + 1, Math.max(min, 1)) : count + 1;
    if (node.type === 'repeat') {
      if (count >= min) resume(next);
      if (count < max) match(node.part, this.#frame(node, [more, 0n], next));
      return;
    }
    const { items, separator } = node;
    if (count >= min && items.every(({ required }, i) => !required || (mask >> BigInt(i)) & 1n))
      resume(next);
    if (count >= max) return;
    const isOpen = (i) => items[i].required && !((mask >> BigInt(i)) & 1n);
    const open = items.filter((_, i) => isOpen(i)).length;
    items.forEach(({ part, after, many }, i) => {
      const bit = 1n << BigInt(i);
      if (!many && mask & bit) return;
      // room must stay for the items that must still come
      if (count + 1 + open - (isOpen(i) ? 1 : 0) > max) return;
      const isNoted = !many || items[i].required;
      const then = this.#frame(node, [more, isNoted ? mask | bit : mask], next);
      if (count === 0) match(part, then);
      else match(separator, this.#frame(after, [0], then));
    });
  }

  start() {
    return this.#state([[this.#rules.get('root'), undefined]]);
  }

  /** The state after a code point; undefined when the code point may not follow. */
  step({ ways }, code) {
    const starts = [];
    let ended = false;
    for (const { ranges, next } of ways) {
      if (!ranges.some(([first, last]) => code >= first && code <= last)) continue;
      if (next === undefined) ended = true;
      else starts.push([null, next]);
    }
    if (starts.length === 0 && !ended) return undefined;
    const state = this.#state(starts);
    return { ways: state.ways, ended: state.ended || ended };
  }

  /** Whether the grammar makes exactly this text. */
  accepts(text) {
    let state = this.start();
    for (const character of text) {
      state = this.step(state, character.codePointAt(0));
      if (!state) return false;
    }
    return state.ended;
  }

  /**
   * A random text of the grammar; undefined when it does not end within `length` characters.
   * random(n) gives a whole number below n.
   */
  randomText(random, length) {
    let state = this.start();
    let text = '';
    for (let i = 0; i < length; i++) {
      if (state.ended && (state.ways.length === 0 || random(3) === 0)) return text;
      const { ranges } = state.ways[random(state.ways.length)];
      const [first, last] = ranges[random(ranges.length)];
      // mostly the first characters of a range, which are ASCII in most classes
      const size = last - first + 1;
      const code = first + random(random(4) > 0 ? Math.min(size, 95) : size);
      text += String.fromCodePoint(code);
      state = this.step(state, code);
    }
    return state.ended ? text : undefined;
  }
}
