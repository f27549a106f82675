/**
 * The texts of numbers. A text is a plain decimal of at most 21 digits before the point, or what
 * JSON.stringify prints with an exponent. So each finite double has a text, and no text is
 * infinite.
 *
 * Bounds are compared as decimals with the shortest text of the bound. Shortest texts have the
 * order of their doubles, and rounding keeps the order. So each text that is allowed keeps the
 * bound, as a decimal and as a double, and the text that JSON.stringify prints for an allowed
 * number is allowed.
 */
import { alphabetOfCodes, explore, isEmpty, joined, matches, product } from './automaton.js';
import type { Dfa } from './automaton.js';
import { matching } from './nfa.js';
import { someWords } from './strings.js';

/** Numbers between bounds (inclusive) that are multiples of divisors. */
export interface NumberRange {
  min: number;
  max: number;
  integer: boolean;
  divisors: readonly number[];
}

/** Numbers that a schema allows: explicit texts, or a range. */
export type NumberSet = { words: ReadonlySet<string> } | NumberRange;

export const ANY_NUMBER: NumberRange = {
  min: -Infinity,
  max: Infinity,
  integer: false,
  divisors: [],
};

const MANTISSA = '[1-9](?:\\.[0-9]{1,16})?';
const PLAIN = '-?(?:0|[1-9][0-9]{0,20})(?:\\.[0-9]+)?';
const LARGE = `-?${MANTISSA}e\\+(?:2[1-9]|[3-9][0-9]|[12][0-9]{2}|30[0-7])`;
const SMALL = `-?${MANTISSA}e-(?:[7-9]|[1-9][0-9]|[12][0-9]{2}|3[01][0-9]|32[0-4])`;
/** What Number.MAX_VALUE and smaller numbers with the exponent 308 are. */
const LARGEST = (() => {
  const digits = '7976931348623157'; // after "1."
  let rest = '';
  for (let i = digits.length - 1; i >= 0; i--) {
    const digit = Number(digits[i]);
    const smaller = digit > 0 ? `[0-${digit - 1}][0-9]{0,${digits.length - 1 - i}}|` : '';
    rest = `(?:${smaller}${digit}${rest && `${rest}?`})`;
  }
  return `-?1(?:\\.${rest})?e\\+308`;
})();

/** Numbers of one divisor's remainders that an automaton may have. */
const MAX_MODULUS = 2000;

const memo = new Map<string, Dfa>();
function once(key: string, make: () => Dfa): Dfa {
  let dfa = memo.get(key);
  if (!dfa) {
    if (memo.size > 200) memo.clear();
    dfa = make();
    memo.set(key, dfa);
  }
  return dfa;
}

const allNumbers = (): Dfa => once('all', () => matching(`${PLAIN}|${LARGE}|${SMALL}|${LARGEST}`));

const allIntegers = (): Dfa =>
  once('integers', () => matching(`-?(?:0|[1-9][0-9]{0,20})|${LARGE}|${LARGEST}`));

// The characters of numbers: 10 digits, then these.
const SIGNS = '+-.e';
const DEAD = 14;
const ALPHABET = alphabetOfCodes([...`0123456789${SIGNS}`].map((c) => c.charCodeAt(0)));
const MINUS = alphabetOfCodes(['-'.charCodeAt(0)]);

/** An automaton with small tuples as its states. */
function machine<State extends unknown[]>(
  start: State,
  step: (state: State, symbol: number, sign: string) => State | undefined,
  accepts: (state: State) => boolean,
): Dfa {
  return explore<State>(ALPHABET, start, {
    key: (state) => state.join(),
    step: (state, symbol) =>
      symbol === DEAD ? undefined : step(state, symbol, symbol < 10 ? '' : SIGNS[symbol - 10]!),
    accepts,
  });
}

/** A finite number as decimal digits: 0.DIGITS times 10 to the exponent; zero has no digits. */
function decimalOf(value: number): { negative: boolean; digits: string; exponent: number } {
  const [mantissa, power] = Math.abs(value).toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '').replace(/0+$/, '');
  return { negative: value < 0, digits, exponent: digits === '' ? 0 : Number(power) + 1 };
}

/** -1, 0 or 1: how the digits read so far compare with the bound's. */
type Order = -1 | 0 | 1;
const orderOf = (a: number, b: number): Order => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Texts without sign whose value compares with |bound| as `wanted` says. Both forms are read side
 * by side: as a plain decimal, and as a mantissa with an exponent.
 */
function compared(bound: number, wanted: (order: Order) => boolean): Dfa {
  const { digits, exponent } = decimalOf(bound);
  const whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, '0') : '';
  const fraction = exponent > 0 ? digits.slice(exponent) : '0'.repeat(-exponent) + digits;
  // [phase, position, order]
  const plain = machine<[string, number, number]>(
    ['first', 0, 0],
    ([phase, position, order], symbol, sign) => {
      if (sign === '.' && (phase === 'whole' || phase === 'zero')) {
        const n = phase === 'zero' ? 0 : position;
        return ['fraction', 0, n === whole.length ? order : orderOf(n, whole.length)];
      }
      if (sign !== '') return undefined;
      if (phase === 'first' && symbol === 0) return ['zero', 0, 0];
      if (phase === 'zero') return undefined;
      if (phase === 'first' || phase === 'whole') {
        if (position >= whole.length) return ['whole', whole.length + 1, 1];
        return ['whole', position + 1, order || orderOf(symbol, Number(whole[position]))];
      }
      const next = order || orderOf(symbol, Number(fraction[position] ?? 0));
      return ['fraction', next ? 0 : Math.min(position + 1, fraction.length), next];
    },
    ([phase, position, order]) => {
      if (phase === 'first') return false;
      if (phase === 'zero') return wanted(digits === '' ? 0 : -1);
      if (phase === 'whole' && position !== whole.length)
        return wanted(orderOf(position, whole.length));
      if (order !== 0) return wanted(order as Order);
      const read = phase === 'whole' ? 0 : position;
      return wanted(read < fraction.length ? -1 : 0);
    },
  );
  const scientific = machine<[string, number, number, number]>(
    ['first', 0, 0, 0],
    ([phase, position, order, size], symbol, sign) => {
      if (phase === 'first' && sign === '' && symbol > 0)
        return ['one', 1, orderOf(symbol, Number(digits[0] ?? 0)), 0];
      if (phase === 'one' && sign === '.') return ['mantissa', position, order, 0];
      if ((phase === 'one' || phase === 'mantissa') && sign === 'e') {
        const short = position < digits.length ? -1 : 0;
        return ['e', 0, order || short, 0];
      }
      if (phase === 'mantissa' && sign === '') {
        const next = order || orderOf(symbol, Number(digits[position] ?? 0));
        return ['mantissa', next ? digits.length : Math.min(position + 1, digits.length), next, 0];
      }
      if (phase === 'e' && (sign === '+' || sign === '-')) return [sign, 0, order, 0];
      if ((phase === '+' || phase === '-') && sign === '') {
        // the exponent; all that are larger than the bound's are the same
        return [phase, 0, order, Math.min(size * 10 + symbol, Math.abs(exponent - 1) + 1)];
      }
      return undefined;
    },
    ([phase, , order, size]) => {
      if ((phase !== '+' && phase !== '-') || size === 0) return false;
      if (digits === '') return wanted(1);
      const power = phase === '+' ? size : -size;
      return wanted(orderOf(power, exponent - 1) || (order as Order));
    },
  );
  return product(plain, scientific, 'or');
}

/** The automaton with a minus sign before each text; with both, the sign is optional. */
function signed(positive: Dfa | undefined, negative: Dfa | undefined): Dfa {
  const minus = negative && withMinus(negative);
  return positive && minus ? product(positive, minus, 'or') : (positive ?? minus)!;
}

function withMinus(dfa: Dfa): Dfa {
  const n = dfa.accepts.length; // the state before the minus sign
  // exponents have the minus sign, too
  const { alphabet, pairs } = joined(dfa, MINUS);
  return explore(alphabet, n, {
    key: (state) => state,
    step(state, symbol) {
      const [symbolOfDfa, symbolOfMinus] = pairs[symbol]!;
      if (state === n) return symbolOfMinus === 0 ? 0 : undefined;
      const target = dfa.next[state * dfa.nClasses + symbolOfDfa]!;
      return target < 0 ? undefined : target;
    },
    accepts: (state) => state < n && dfa.accepts[state] === 1,
  });
}

/** Texts of numbers that are at most the bound. */
function notAbove(bound: number): Dfa {
  return once(`max ${bound}`, () => {
    if (bound >= 0) {
      return signed(
        compared(bound, (order) => order <= 0),
        compared(0, () => true),
      );
    }
    return signed(
      undefined,
      compared(bound, (order) => order >= 0),
    );
  });
}

/** Texts of numbers that are at least the bound. */
function notBelow(bound: number): Dfa {
  return once(`min ${bound}`, () => {
    if (bound > 0)
      return signed(
        compared(bound, (order) => order >= 0),
        undefined,
      );
    // "-0" is zero
    return signed(
      compared(0, () => true),
      compared(bound, (order) => order <= 0),
    );
  });
}

/** Why a divisor cannot be used; undefined when it can. */
export function whyNotDivisor(divisor: number): string | undefined {
  const { digits, exponent } = decimalOf(divisor);
  const power = exponent - digits.length;
  if (Number(digits) > MAX_MODULUS || Math.abs(power) > 30)
    return `is not supported: the digits of a divisor are a number of at most ${MAX_MODULUS}`;
  if (Number(digits) !== 1 && power <= -7)
    return 'is not supported: a divisor with 7 decimals or more is a power of ten';
  return undefined;
}

/**
 * Texts of multiples. A divisor is M times 10 to p. Plain decimals are read with their remainder
 * by M. Numbers of 1e21 and more are multiples of each M that only has the factors 2 and 5 up to
 * the 5th power; for another M they are left out.
 */
function multiplesOf(divisor: number): Dfa {
  return once(`multiple ${divisor}`, () => {
    const { digits, exponent } = decimalOf(divisor);
    const modulus = Number(digits);
    const power = exponent - digits.length;
    const plain = plainMultiples(modulus, power);
    const forms: string[] = [];
    if (power <= 5 && 10 ** (5 - Math.max(power, 0)) % modulus === 0) forms.push(LARGE, LARGEST);
    if (modulus === 1) {
      for (let x = 7; x <= -power; x++)
        forms.push(`-?[1-9]${x < -power ? `(?:\\.[0-9]{1,${-power - x}})?` : ''}e-${x}`);
    }
    const all = signed(plain, plain);
    if (forms.length === 0) return all;
    return product(all, matching(forms.join('|')), 'or');
  });
}

/** Plain decimals without sign that are multiples of M times 10 to p. */
function plainMultiples(modulus: number, power: number): Dfa {
  const zeros = Math.max(power, 0); // zeros that the whole part ends with
  const decimals = Math.max(-power, 0); // digits after the point that count
  // [phase, remainder, zeros at the end, or digits after the point]
  return machine<[string, number, number]>(
    ['first', 0, 0],
    ([phase, remainder, count], symbol, sign) => {
      if (sign === '.') {
        if (phase === 'zero') return ['fraction', 0, 0];
        return phase === 'whole' && count === zeros ? ['fraction', remainder, 0] : undefined;
      }
      if (sign !== '' || phase === 'zero') return undefined;
      if (phase === 'first' && symbol === 0) return ['zero', 0, 0];
      if (phase === 'fraction') {
        if (count < decimals) return ['fraction', (remainder * 10 + symbol) % modulus, count + 1];
        return symbol === 0 ? ['fraction', remainder, count] : undefined;
      }
      if (zeros === 0) return ['whole', (remainder * 10 + symbol) % modulus, 0];
      // the remainder is of the digits before the zeros at the end
      if (symbol === 0 && count < zeros) return ['whole', remainder, count + 1];
      if (symbol === 0) return ['whole', (remainder * 10) % modulus, zeros];
      let next = remainder;
      for (let i = 0; i < count; i++) next = (next * 10) % modulus;
      return ['whole', (next * 10 + symbol) % modulus, 0];
    },
    ([phase, remainder, count]) => {
      if (phase === 'zero') return true;
      if (phase === 'first') return false;
      let rest = remainder;
      if (phase === 'whole' && count !== zeros) return false;
      for (let i = phase === 'fraction' ? count : 0; i < decimals; i++)
        rest = (rest * 10) % modulus;
      return rest === 0;
    },
  );
}

/** The texts of a set as an automaton. */
export function numberAutomaton({ min, max, integer, divisors }: NumberRange): Dfa {
  return once(`range ${min} ${max} ${integer} ${divisors.join()}`, () => {
    let dfa = integer ? allIntegers() : allNumbers();
    if (max !== Infinity) dfa = product(dfa, notAbove(max), 'and');
    if (min !== -Infinity) dfa = product(dfa, notBelow(min), 'and');
    for (const divisor of divisors) dfa = product(dfa, multiplesOf(divisor), 'and');
    return dfa;
  });
}

/** The numbers of both sets; undefined when there is none. */
export function bothNumbers(a: NumberSet, b: NumberSet): NumberSet | undefined {
  if ('words' in a) return someWords([...a.words].filter((w) => hasNumber(b, w)));
  if ('words' in b) return bothNumbers(b, a);
  const set = {
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    integer: a.integer || b.integer,
    divisors: [...new Set([...a.divisors, ...b.divisors])].sort((x, y) => x - y),
  };
  if (set.min > set.max || set.min === Infinity || set.max === -Infinity) return undefined;
  const isSimple = !set.integer && set.divisors.length === 0;
  return isSimple || !isEmpty(numberAutomaton(set)) ? set : undefined;
}

function hasNumber(set: NumberSet, text: string): boolean {
  if ('words' in set) return set.words.has(text);
  const value = Number(text);
  if (value < set.min || value > set.max) return false;
  const { integer, divisors } = set;
  if (integer && !Number.isInteger(value)) return false;
  return divisors.length === 0 || matches(numberAutomaton({ ...ANY_NUMBER, divisors }), text);
}

/** The double after a number, away from it in the given direction. */
export function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const away = value > 0 === direction > 0; // away from zero
  view.setBigInt64(0, view.getBigInt64(0) + (away ? 1n : -1n));
  return view.getFloat64(0);
}

/** The numbers that are not in the set; undefined when they are no union of sets. */
export function otherNumbers(set: NumberSet): NumberSet[] | undefined {
  if ('words' in set || set.integer || set.divisors.length > 0) return undefined;
  const result: NumberSet[] = [];
  if (set.min !== -Infinity) result.push({ ...ANY_NUMBER, max: neighbour(set.min, -1) });
  if (set.max !== Infinity) result.push({ ...ANY_NUMBER, min: neighbour(set.max, 1) });
  return result;
}
