/** What *Why* says about a cell, a column or the next token, with the numbers of the choice on the
 *  page. All functions are pure. */
import type { StageRow, StageTable } from 'tokenglass';
import { count, hexBytes, percent } from '../format.js';
import type { Focus } from './inspector.js';
import { bitsOf, columnIndex, cutIndex, equalChoices } from './ledger.js';
import type { Sentence } from './say.js';
import { say } from './say.js';
import { stageWords } from './stage-words.js';
import { ordinal, stageSentence, survivorsOf, tokenSentences } from './why-stages.js';

export interface Why {
  readonly title: Sentence;
  readonly lines: readonly Sentence[];
}

/** Where the choice on the page is: at the end of a text that can go on ('next'), before a token of
 *  the text ('earlier'), or after the end of the text ('ended'). */
export type Place = 'next' | 'earlier' | 'ended';

export interface Situation {
  readonly place: Place;
  readonly seed: number;
  /** Index in the text of the token that is chosen. */
  readonly index: number;
}

const bits = (nats: number) => `${bitsOf(nats).toFixed(1)} bits`;

/** "like 29 equal choices". */
export const likeChoices = (nats: number): string => {
  const n = equalChoices(nats);
  return n === 1 ? 'there is next to no choice' : `like ${count(n)} equal choices`;
};

/** The random number and the ends of its share: 0.4481, 0.418 and 0.502. All get as many digits as
 *  show the number between the ends. The ends 0 and 1 have no digits. */
function inShare(u: number, low: number, high: number): [string, string, string] {
  for (let digits = 3; ; digits++) {
    const edge = (x: number) => (x === 0 || x === 1 ? String(x) : x.toFixed(digits));
    const texts: [string, string, string] = [u.toFixed(digits + 1), edge(low), edge(high)];
    const [shown, from, to] = texts.map(Number) as [number, number, number];
    const isIn = (from < shown || u === low) && (shown < to || u === high);
    if ((isIn && from < to) || digits === 15) return texts;
  }
}

/** The row of the drawn token. The table lists the drawn token in every state. */
export const drawnRow = (table: StageTable): StageRow =>
  table.rows.find(({ token }) => token === table.draw.token)!;

/** Which token the random number picks, as far as there is a next token. */
export function drawSentence(table: StageTable, place: Place): Sentence {
  if (place === 'ended') return [];
  const { u, low, high } = table.draw;
  const row = drawnRow(table);
  const [number, from, to] = inShare(u, low, high);
  const falls = say`${number} falls in ${row}’s share (${from} to ${to})`;
  return place === 'next'
    ? say`${falls}, so ${row} is next.`
    : say`${falls}, so ${row} would be drawn here.`;
}

/** Where the random number comes from. */
export const sourceSentence = ({ seed, index }: Situation): Sentence =>
  say`The random number comes from the seed (${seed}) and the place in the text (token ${count(index + 1)}).`;

function whyNext(table: StageTable, situation: Situation): Why {
  const { place } = situation;
  const row = drawnRow(table);
  if (place === 'ended')
    return {
      title: say`After the end`,
      lines: [
        say`No token can follow here, so none is next. The probabilities are shown all the same.`,
      ],
    };
  return {
    title: place === 'next' ? say`Why is ${row} next?` : say`Why would ${row} be drawn here?`,
    lines: [
      say`The model gives ${row} ${percent(row.p)}: number ${count(row.rank + 1)} of ${count(table.n_vocab)} tokens. After sampling, ${row} has ${percent(row.p_final)}.`,
      drawSentence(table, place),
      sourceSentence(situation),
    ],
  };
}

function uncertainty(table: StageTable): Sentence {
  return say`The uncertainty (entropy) is ${bits(table.entropy)}, ${likeChoices(table.entropy)}. One bit is a coin flip.`;
}

function whyModel(table: StageTable, row: StageRow | undefined): Why {
  const softmax = say`The model gives each of the ${count(table.n_vocab)} tokens a score, its logit. Softmax makes probabilities of the scores: e to the power of the score, divided by the sum of that for all tokens.`;
  if (!row)
    return {
      title: say`Model: probabilities from the scores (softmax)`,
      lines: [
        softmax,
        say`A score that is 0.7 higher means that the token is twice as probable.`,
        uncertainty(table),
      ],
    };
  return {
    title: say`Why does ${row} have ${percent(row.p)}?`,
    lines: [
      say`The score (logit) of ${row} is ${row.logit.toFixed(2)}: the ${row.rank ? `${ordinal(row.rank + 1)} ` : ''}highest of ${count(table.n_vocab)}.`,
      ...comparison(table, row),
      softmax,
      say`If ${row} came, the surprise would be ${bits(-Math.log(row.p))}: minus log₂ of the probability.`,
      say`${row} is token ${row.token} of the vocabulary. Its bytes in hexadecimal: ${hexBytes(row.bytes)}.`,
    ],
  };
}

/** The row beside the token with the highest score, or the best one beside the second. */
function comparison(table: StageTable, row: StageRow): Sentence[] {
  const other = table.rows
    .filter(({ token }) => token !== row.token)
    .reduce<StageRow | undefined>(
      (best, next) => (!best || next.logit > best.logit ? next : best),
      undefined,
    );
  if (!other || row.p === 0 || other.p === 0) return [];
  const [high, low] = other.logit > row.logit ? [other, row] : [row, other];
  const times = high.p / low.p;
  const factor = times < 100 ? times.toFixed(times < 10 ? 2 : 0) : count(Math.round(times));
  return [
    say`${high} has ${(high.logit - low.logit).toFixed(2)} more than ${low}, so ${high} is ${factor} times as probable.`,
  ];
}

function whyFinal(table: StageTable, row: StageRow | undefined, situation: Situation): Why {
  const n = survivorsOf(table);
  const left =
    n === 1
      ? say`One token is left, so chance decides nothing.`
      : say`${count(n)} tokens are left. Each owns a part of the range from 0 to 1, as wide as its probability. A random number picks one.`;
  if (row?.removed_by !== undefined) return whyCutBefore(table, row);
  const title = row
    ? say`What are the chances of ${row}?`
    : say`Final: what the token is drawn from`;
  const chance = row
    ? [say`${row} comes in ${percent(row.p_final)} of all draws. The model said ${percent(row.p)}.`]
    : [];
  return {
    title,
    lines: [
      ...chance,
      left,
      say`The uncertainty is now ${bits(table.entropy_final)}, ${likeChoices(table.entropy_final)}.`,
      drawSentence(table, situation.place),
      sourceSentence(situation),
    ].filter((line) => line.length > 0),
  };
}

/** Why a row is empty after the stage that removed its token. */
function whyCutBefore(table: StageTable, row: StageRow): Why {
  const stage = table.stages.find(({ name }) => name === row.removed_by)!;
  return { title: say`Why was ${row} cut?`, lines: tokenSentences(table, stage, row) };
}

/** What Why says. focus: the cell or the column that the user points at; undefined: the next
 *  token. */
export function explain(table: StageTable, focus: Focus | undefined, situation: Situation): Why {
  const row =
    focus?.token === undefined ? undefined : table.rows.find(({ token }) => token === focus.token);
  if (!focus || (focus.token !== undefined && !row)) return whyNext(table, situation);
  if (focus.stage === 'model') return whyModel(table, row);
  if (focus.stage === 'final') return whyFinal(table, row, situation);
  const words = stageWords[focus.stage];
  const index = columnIndex(table, focus.stage);
  const stage = index === undefined ? undefined : table.stages[index];
  if (!stage) return { title: say`${words.title}`, lines: [say`${words.does}`] };
  if (row) {
    if (cutIndex(table, row) <= index!) return whyCutBefore(table, row);
    return {
      title: say`What did ${words.inText} do to ${row}?`,
      lines: tokenSentences(table, stage, row),
    };
  }
  const lines = [say`${words.does}`, stageSentence(table, stage)];
  const isAfterCut = table.stages.slice(0, index).some(({ removed }) => removed > 0);
  if (focus.stage === 'temperature' && isAfterCut)
    lines.push(say`Tokens that an earlier stage cut stay cut.`);
  return {
    title: say`${words.title}`,
    lines: [...lines, say`Invented ${words.inventedFor}.`],
  };
}
