/** The formats that are enforced, as regular expressions of their whole texts. */

import type { Dfa } from './automaton.js';
import { matching } from './nfa.js';

const DATE = (() => {
  const leap = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
  const long = '(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])';
  const short = '(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)';
  const february = '02-(?:0[1-9]|1[0-9]|2[0-8])';
  return `(?:[0-9]{4}-(?:${long}|${short}|${february})|${leap}-02-29)`;
})();

const HOUR = '(?:[01][0-9]|2[0-3])';
const MINUTE = '[0-5][0-9]';

const twoDigits = (n: number): string => String(n).padStart(2, '0');

/**
 * A leap second is 23:59:60 in UTC, so its local time depends on the offset. Offsets of whole
 * quarters of an hour are the ones that exist; others have no leap second here.
 */
function leapSeconds(): string {
  const forms = ['23:59:60(?:\\.[0-9]+)?[Zz]'];
  for (let offset = 0; offset < 24 * 60; offset += 15) {
    const name = `${twoDigits(Math.floor(offset / 60))}:${twoDigits(offset % 60)}`;
    for (const [sign, minutes] of [
      ['\\+', 1439 + offset] as const,
      ['-', 1439 - offset] as const,
    ]) {
      const local = (minutes + 1440) % 1440;
      const time = `${twoDigits(Math.floor(local / 60))}:${twoDigits(local % 60)}`;
      forms.push(`${time}:60(?:\\.[0-9]+)?${sign}${name}`);
    }
  }
  return forms.join('|');
}

const TIME = (): string =>
  `(?:${HOUR}:${MINUTE}:${MINUTE}(?:\\.[0-9]+)?(?:[Zz]|[+\\-]${HOUR}:${MINUTE})|${leapSeconds()})`;

const HEX = '[0-9a-fA-F]';
const UUID = `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`;

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;

/** RFC 4291: eight groups, one run of zero groups as "::", the last two groups as IPv4. */
function ipv6(): string {
  const group = `${HEX}{1,4}`;
  const groups = (n: number) => (n === 0 ? '' : `${group}(?::${group}){${n - 1}}`);
  const upTo = (n: number) => (n === 0 ? '' : `(?:${group}(?::${group}){0,${n - 1}})?`);
  const forms = [groups(8), `${groups(6)}:${IPV4}`];
  for (let before = 0; before <= 7; before++) {
    forms.push(`${groups(before)}::${upTo(7 - before)}`);
    if (before <= 5) forms.push(`${groups(before)}::(?:${group}:){0,${5 - before}}${IPV4}`);
  }
  return `(?:${forms.join('|')})`;
}

/** RFC 5321: a mailbox. The local part is dotted atoms or a quoted string. */
function email(): string {
  const atom = "[A-Za-z0-9!#$%&'*+\\-\\/=?^_`{\\|}~]+";
  const quoted = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"';
  const label = '[A-Za-z0-9](?:[A-Za-z0-9\\-]*[A-Za-z0-9])?';
  const domain = `${label}(?:\\.${label})*`;
  return `(?:${atom}(?:\\.${atom})*|${quoted})@(?:${domain}|\\[(?:${IPV4}|[Ii][Pp][Vv]6:${ipv6()})\\])`;
}

/** RFC 3986: a URI, and what may also be a relative reference. */
function uri(isReference: boolean): string {
  const plain = "[A-Za-z0-9\\-._~!$&'()*+,;=]";
  const escape = `%${HEX}{2}`;
  const name = `(?:${plain}|${escape})`;
  const character = `(?:${plain}|[:@]|${escape})`;
  const address = `\\[(?:${ipv6()}|[Vv]${HEX}+\\.(?:${plain}|:)+)\\]`;
  const authority = `(?:(?:${name}|:)*@)?(?:${address}|${name}*)(?::[0-9]*)?`;
  const segments = `(?:\\/${character}*)*`;
  const withAuthority = `\\/\\/${authority}${segments}`;
  const absolute = `\\/(?:${character}+${segments})?`;
  const rest = `(?:\\?(?:${character}|[\\/?])*)?(?:#(?:${character}|[\\/?])*)?`;
  const scheme = `[A-Za-z][A-Za-z0-9+\\-.]*:(?:${withAuthority}|${absolute}|${character}+${segments})?`;
  if (!isReference) return `${scheme}${rest}`;
  // the first segment of a relative path has no colon
  const relative = `(?:${withAuthority}|${absolute}|(?:${name}|@)+${segments})?`;
  return `(?:${scheme}|${relative})${rest}`;
}

const DURATION = (() => {
  const time = 'T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)';
  const date = '(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)';
  return `P(?:${date}(?:${time})?|${time}|[0-9]+W)`;
})();

const POINTER = '(?:\\/(?:[^~\\/]|~[01])*)*';

const COUNT = '(?:0|[1-9][0-9]*)';

const FORMATS: Record<string, () => Dfa> = {
  date: () => matching(DATE),
  time: () => matching(TIME()),
  'date-time': () => matching(`${DATE}[Tt]${TIME()}`),
  duration: () => matching(DURATION),
  uuid: () => matching(UUID),
  ipv4: () => matching(IPV4),
  ipv6: () => matching(ipv6()),
  email: () => matching(email()),
  uri: () => matching(uri(false)),
  'uri-reference': () => matching(uri(true)),
  'json-pointer': () => matching(POINTER),
  'relative-json-pointer': () => matching(`${COUNT}(?:[+\\-]${COUNT})?(?:#|${POINTER})`),
};

/** The names of the formats that are enforced. */
export const formatNames: readonly string[] = Object.keys(FORMATS);

const automata = new Map<string, Dfa>();

/** The automaton of a format; undefined when the format is not enforced. */
export function formatAutomaton(name: string): Dfa | undefined {
  if (!Object.hasOwn(FORMATS, name)) return undefined;
  let dfa = automata.get(name);
  if (!dfa) {
    dfa = FORMATS[name]!();
    automata.set(name, dfa);
  }
  return dfa;
}
