/** Sentences about one stage of a choice, with the numbers of that choice: what the stage did, and
 *  what the stage did to one token. All functions are pure. */
import type { StageName, StageRow, StageTable, StageTrace } from 'tokenglass';
import { apart, count, percent } from '../format.js';
import { probabilityAt } from './ledger.js';
import type { Sentence } from './say.js';
import { say } from './say.js';
import { stageWords } from './stage-words.js';

const plural = (n: number, noun: string) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
const decimal = (x: number, digits = 2) => String(Number(x.toFixed(digits)));
const bits = (nats: number) => `${(nats / Math.LN2).toFixed(1)} bits`;
/** A probability and a limit in percent, with as many digits as show which one is greater. */
const percents = (p: number, limit: number, writeLimit = share) =>
  apart(p, limit, [percent, writeLimit], [100, ' %']);
/** The same for other numbers. */
const decimals = (x: number, limit: number, digits = 2) => {
  const write = (x: number) => decimal(x, digits);
  return apart(x, limit, [write, write]);
};
/** A share that the user set, such as 0.05, in percent. */
const share = (x: number) => `${Number((100 * x).toPrecision(4))} %`;

/** A probability in percent, to three digits. */
const finePercent = (p: number) => `${Number((100 * p).toPrecision(3))} %`;

/** The number that a pattern finds in the stage's reason. The reasons have a fixed format. */
function numberIn(stage: StageTrace, pattern: RegExp): number | undefined {
  const text = pattern.exec(stage.reason)?.[1];
  return text === undefined ? undefined : Number(text);
}

const arrived = ({ kept, removed }: StageTrace) => kept + removed;

/** Stages that cut tokens or change scores without changing the order of the tokens. */
const ORDER_KEPT: readonly StageName[] = ['top_n_sigma', 'top_k', 'top_p', 'min_p', 'temperature'];

/** Stages that change scores and cut tokens only in special cases. */
export const CUTS_NOTHING: readonly StageName[] = ['logit_bias', 'penalties', 'dry', 'temperature'];

const orderKept = (stages: readonly StageTrace[]) =>
  stages.every(({ name }) => ORDER_KEPT.includes(name));

/** The most probable token that reached a stage. undefined when a token without a row could be more
 *  probable. */
export function bestAt(table: StageTable, index: number): StageRow | undefined {
  const [first, ...rows] = table.rows;
  if (!first) return undefined;
  const at = (entry: Pick<StageRow, 'p' | 'after'>) => probabilityAt(entry, index - 1);
  const best = rows.reduce((best, row) => (at(row) > at(best) ? row : best), first);
  const isCertain =
    orderKept(table.stages.slice(index)) || table.groups.every((group) => at(group) <= at(best));
  return isCertain ? best : undefined;
}

/** By how much a stage changed the logit of a token, beside tokens that it did not change. */
export function scoreChange(table: StageTable, index: number, row: StageRow): number {
  const ratio = (entry: Pick<StageRow, 'p' | 'after'>) => {
    const before = probabilityAt(entry, index - 1);
    return before > 0 ? probabilityAt(entry, index) / before : 0;
  };
  const unchanged = Math.max(...table.rows.map(ratio), ...table.groups.map(ratio));
  return Math.log(ratio(row) / unchanged);
}

const isOff = (stage: StageTrace) => / off/.test(stage.reason);

/** Whether values outside the sliders' ranges make the penalties raise some scores. */
const canRaise = ({ params }: StageTrace & { name: 'penalties' }) =>
  params.penalty_repeat < 1 || params.penalty_freq < 0 || params.penalty_present < 0;

/** What a stage did in this choice, in one sentence. */
export function stageSentence(table: StageTable, stage: StageTrace): Sentence {
  const { kept, removed, threshold, params } = stage;
  const { title } = stageWords[stage.name];
  const n = arrived(stage);
  const of = `${count(kept)} of ${count(n)}`;
  if (stage.name === 'temperature') return temperatureSentence(stage);
  if (stage.name === 'xtc' && n < 2)
    return say`Only one token is left: XTC has nothing to exclude.`;
  if (isOff(stage)) return say`${title} is off with these values.`;
  switch (stage.name) {
    case 'top_k':
      return removed
        ? say`Top-k kept the ${count(kept)} most probable of ${count(n)}.`
        : say`Top-k kept all ${count(n)}: no more than ${count(stage.params.top_k)} were left.`;
    case 'top_p': {
      const [sum, limit] = percents(threshold, stage.params.top_p);
      if (!removed)
        return say`Top-p kept all ${count(n)}: without the last they have less than ${limit}.`;
      if (kept === 1) return say`Top-p kept 1 of ${count(n)}: the first has ${limit} or more.`;
      return say`Top-p kept ${of}: the first ${count(kept - 1)} have ${sum}, the ${ordinal(kept)} takes it over ${limit}.`;
    }
    case 'min_p': {
      const best = bestAt(table, table.stages.indexOf(stage));
      const p = best && probabilityAt(best, table.stages.indexOf(stage) - 1);
      const limit = share(stage.params.min_p);
      if (!removed)
        return say`Min-p kept all ${count(n)}: none has less than ${limit} of the best one’s probability.`;
      return p === undefined
        ? say`Min-p kept ${of}: at least ${limit} of the best one’s probability.`
        : say`Min-p kept ${of}: at least ${limit} of the best one’s ${percent(p)}, that is ${percent(threshold * p)}.`;
    }
    case 'typ_p': {
      const entropy = numberIn(stage, /entropy ([\d.e+-]+):/);
      const nearest = entropy === undefined ? '' : `, ${(entropy / Math.LN2).toFixed(2)} bits`;
      return say`Typical kept ${of}: the nearest to the average surprise${nearest}, until they have ${share(stage.params.typical_p)}.`;
    }
    case 'top_n_sigma': {
      const sigma = numberIn(stage, /sigma ([\d.e+-]+) of/);
      const width = sigma === undefined ? '' : ` One sigma is ${decimal(sigma)} here.`;
      return say`Top-n-sigma kept ${of}: a score of ${decimal(threshold)} or more, within ${plural(stage.params.top_n_sigma, 'sigma')} of the highest.${width}`;
    }
    case 'xtc':
      return xtcSentence(stage);
    case 'dry': {
      const changed = numberIn(stage, /lowered (\d+)/);
      const longest = numberIn(stage, /longest of (\d+)/);
      if (changed === 0) return say`DRY lowered no token: no token would extend a repetition.`;
      return say`DRY lowered ${plural(changed ?? 0, 'token')} that would extend a repetition, the longest of ${plural(longest ?? 0, 'token')}.`;
    }
    case 'penalties': {
      const changed = numberIn(stage, /changed (\d+)/) ?? 0;
      const last = numberIn(stage, /last (\d+)/) ?? 0;
      const verb = canRaise(stage) ? 'changed' : 'lowered';
      return say`Penalties ${verb} ${plural(changed, 'token')} that ${changed === 1 ? 'occurs' : 'occur'} in the last ${count(last)}.`;
    }
    case 'grammar':
      return say`The format kept ${of}: the only tokens the format allows here.`;
    case 'logit_bias': {
      const changed = numberIn(stage, /changed (\d+)/) ?? 0;
      return say`The bias changed ${plural(changed, 'token')} and cut ${count(removed)}.`;
    }
    case 'mirostat':
      return stage.params.mirostat === 1
        ? say`Mirostat kept the ${count(kept)} most probable of ${count(n)}, to aim at ${decimal(stage.params.mirostat_tau)} bits of surprise.`
        : mirostatSentence(stage, decimal(threshold, 1));
    default:
      return say`${title} kept ${of}.${Object.keys(params).length ? '' : ''}`;
  }
}

/** 1st, 2nd, 27th. */
export function ordinal(n: number): string {
  const suffixes = ['th', 'st', 'nd', 'rd'];
  const suffix = n % 100 > 10 && n % 100 < 14 ? 'th' : (suffixes[n % 10] ?? 'th');
  return `${count(n)}${suffix}`;
}

function temperatureSentence(stage: StageTrace & { name: 'temperature' }): Sentence {
  const { threshold: t, params } = stage;
  const dynamic = params.dynatemp_range > 0;
  if (t < 1e-200) return say`Temperature 0: only the most probable token stays (greedy).`;
  const full = numberIn(stage, /at ([\d.e+-]+) of full/);
  const how =
    dynamic && full !== undefined
      ? say` The uncertainty sets it: ${share(full)} of the greatest possible.`
      : say``;
  if (t === 1) return say`Temperature 1 changes nothing.${how}`;
  const twice = 2 ** (1 / t);
  return say`Temperature ${decimal(t)} divides all scores by ${decimal(t)}: a token that was twice as probable as another is now ${decimal(twice)} times as probable.${how}`;
}

/** limit: the greatest surprise that stays, in bits. */
const mirostatSentence = (stage: StageTrace & { name: 'mirostat' }, limit: string) =>
  say`Mirostat kept ${count(stage.kept)} of ${count(arrived(stage))}: at most ${limit} bits of surprise, to aim at ${decimal(stage.params.mirostat_tau)}.`;

function xtcSentence(stage: StageTrace & { name: 'xtc' }): Sentence {
  const { coin = 0, removed, params } = stage;
  const { xtc_probability: probability, xtc_threshold: threshold } = params;
  const [drawn, limit] = decimals(coin, probability);
  if (coin > probability)
    return say`XTC was not triggered (${drawn} is above ${limit}), so all tokens stay.`;
  const triggered = `XTC was triggered (${drawn} < ${limit})`;
  if (removed === 0)
    return say`${triggered}: fewer than two tokens have at least ${share(threshold)}, so all stay.`;
  const less = removed === 1 ? 'the less likely one stays' : 'the least likely one stays';
  return say`${triggered}: ${count(removed + 1)} tokens have at least ${share(threshold)}, ${less}.`;
}

/** "kept 27 of 40": for stages that cut tokens. */
export const keptOf = (stage: StageTrace): string =>
  CUTS_NOTHING.includes(stage.name) && stage.removed === 0
    ? ''
    : `kept ${count(stage.kept)} of ${count(arrived(stage))}`;

/** Why a stage cut tokens, as the end of "3,032 cut by top-k: ...". */
export function cutReason(stage: StageTrace): string {
  switch (stage.name) {
    case 'top_k':
      return `not among the ${count(stage.kept)} most probable`;
    case 'top_p':
      return `after the first ${share(stage.params.top_p)}`;
    case 'min_p':
      return `less than ${share(stage.params.min_p)} of the best one’s probability`;
    case 'typ_p':
      return 'too far from the average surprise';
    case 'top_n_sigma':
      return `more than ${plural(stage.params.top_n_sigma, 'sigma')} below the highest score`;
    case 'xtc':
      return 'top choices, excluded this time';
    case 'temperature':
      return 'not the most probable';
    case 'grammar':
      return 'the format does not allow them here';
    case 'mirostat':
      return stage.params.mirostat === 1
        ? `not among the ${count(stage.kept)} most probable`
        : `more than ${decimal(stage.threshold, 1)} bits of surprise`;
    default:
      return 'forbidden by you';
  }
}

/** What a stage did to a token that reached it. */
export function tokenSentences(
  table: StageTable,
  stage: StageTrace,
  row: StageRow,
): readonly Sentence[] {
  const index = table.stages.indexOf(stage);
  const before = probabilityAt(row, index - 1);
  const after = probabilityAt(row, index);
  if (row.removed_by === stage.name) return [whyCut(table, stage, row)];
  const change = say`${row}: ${percent(before)} before this stage, ${percent(after)} after it.`;
  if (isOff(stage)) return [stageSentence(table, stage)];
  if (stage.name === 'dry' || (stage.name === 'penalties' && !canRaise(stage)))
    return [lowered(table, stage, row), change];
  if (stage.name === 'penalties' || stage.name === 'logit_bias')
    return [stageSentence(table, stage), change];
  if (stage.name === 'temperature') return [stageSentence(table, stage), change];
  if (stage.removed === 0) return [stageSentence(table, stage), say`${row} stays.`];
  return [
    stageSentence(table, stage),
    say`${row} stays. The tokens that stay share what the others had, in proportion: ${percent(before)} becomes ${percent(after)}.`,
  ];
}

function whyCut(table: StageTable, stage: StageTrace, row: StageRow): Sentence {
  const index = table.stages.indexOf(stage);
  const before = probabilityAt(row, index - 1);
  const surprise = `${bits(-Math.log(before))} of surprise`;
  const sureOfRank = orderKept(table.stages.slice(0, index));
  switch (stage.name) {
    case 'top_k':
      return say`Top-k keeps the ${count(stage.kept)} most probable tokens.${
        sureOfRank
          ? say` ${row} is number ${count(row.rank + 1)}.`
          : say` ${row} is not one of them.`
      }`;
    case 'top_p':
      return say`Top-p adds up the probabilities from the top. The first ${plural(stage.kept, 'token')} reach ${share(stage.params.top_p)}, so the rest is cut. ${row} comes after them.`;
    case 'min_p': {
      const best = bestAt(table, index);
      const rule = say`Min-p keeps tokens that are at least ${decimal(stage.params.min_p, 4)} times as probable as the best one.`;
      if (!best) return say`${rule} ${row} has ${percent(before)}, which is less.`;
      const p = probabilityAt(best, index - 1);
      const [own, limit] = percents(before, p * stage.threshold, finePercent);
      return say`${rule} The best is ${best} with ${percent(p)}, so the limit is ${limit}; ${row} has ${own}.`;
    }
    case 'typ_p': {
      const entropy = numberIn(stage, /entropy ([\d.e+-]+):/);
      const average = entropy === undefined ? '' : `, ${bits(entropy)}`;
      return say`Typical keeps the tokens nearest to the average surprise${average}. ${row} has ${surprise}, which is too far away.`;
    }
    case 'top_n_sigma': {
      const [own, limit] = decimals(row.logit, stage.threshold);
      if (index > 0)
        return say`Top-n-sigma keeps scores of ${decimal(stage.threshold)} or more. The score of ${row} is lower.`;
      return say`Top-n-sigma keeps scores of ${limit} or more. The score of ${row} is ${own}.`;
    }
    case 'xtc':
      return say`${xtcSentence(stage)} ${row} has ${percents(before, stage.params.xtc_threshold)[0]} and is not the least likely of them.`;
    case 'temperature':
      return say`${temperatureSentence(stage)} ${row} is not the most probable.`;
    case 'grammar':
      return say`The text would not have the format if ${row} came next.`;
    case 'mirostat': {
      if (stage.params.mirostat === 1)
        return say`${stageSentence(table, stage)} ${row} has ${surprise}.`;
      const [own, limit] = decimals(-Math.log2(before), stage.threshold, 1);
      return say`${mirostatSentence(stage, limit)} ${row} has ${own} bits of surprise.`;
    }
    default:
      return say`${row} is forbidden by your list.`;
  }
}

/** By how much a stage lowered a token's score. */
function lowered(table: StageTable, stage: StageTrace, row: StageRow): Sentence {
  const index = table.stages.indexOf(stage);
  const change = scoreChange(table, index, row);
  if (Math.abs(change) < 1e-6) {
    const why = {
      penalties: `it does not occur in the last ${plural(numberIn(stage, /last (\d+)/) ?? 0, 'token')}`,
      dry: 'it would not extend a repetition',
    }[stage.name as string];
    return say`${stageWords[stage.name].title} did not change the score of ${row}${why ? `: ${why}` : ''}.`;
  }
  const by = decimal(Math.abs(change), 1);
  if (stage.name === 'dry') {
    const { dry_multiplier, dry_base, dry_allowed_length } = stage.params;
    // the penalty is multiplier * base^(length - allowed length)
    const length = dry_allowed_length + Math.log(-change / dry_multiplier) / Math.log(dry_base);
    const whole = Math.round(length);
    const repeated = Math.abs(length - whole) < 0.01 ? ` of ${plural(whole, 'token')}` : '';
    return say`DRY lowered the score of ${row} by ${by}: it would extend a repetition${repeated}.`;
  }
  return say`Penalties lowered the score of ${row} by ${by}: it occurs in the last ${count(numberIn(stage, /last (\d+)/) ?? 0)} tokens.`;
}

/** The number of tokens that all stages kept. */
export const survivorsOf = (table: StageTable): number =>
  table.stages.at(-1)?.kept ?? table.n_vocab;
