/**
 * Formats steps and scores for the command line. Control characters are shown as pictures and never
 * sent to the terminal.
 */
import type { Step, StepTrace, TokenScore } from '../types/types.js';

/** The text with control characters as pictures; line ends and tabs stay. */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? '\u2421' : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

/** The same on one line, with visible line ends and tabs, and visible spaces at both ends. */
export const visibleLine = (text: string) =>
  visible(text.replaceAll('\n', '⏎').replaceAll('\t', '⇥')).replace(/^ | $/g, '␣');

export interface Paint {
  faint(text: string): string;
  strong(text: string): string;
  gone(text: string): string;
}

/** Colours, only on a terminal and only when NO_COLOR is not set. */
export function paint(stream: { isTTY?: boolean }): Paint {
  const enabled = stream.isTTY === true && !process.env['NO_COLOR'];
  const code = (n: number) => (text: string) => (enabled ? `\u001b[${n}m${text}\u001b[0m` : text);
  return { faint: code(2), strong: code(1), gone: code(31) };
}

/** The width of the text in cells of a terminal: wide characters take two. */
const width = (text: string) =>
  [...text].reduce(
    (sum, c) =>
      sum +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        c,
      )
        ? 2
        : 1),
    0,
  );
export const pad = (text: string, cells: number) =>
  text + ' '.repeat(Math.max(0, cells - width(text)));
const left = (text: string, cells: number) => text.padStart(cells);
const percent = (p: number) => `${(100 * p).toFixed(2)} %`;

/** A step: the drawn token, and each candidate with its probability before and after the stages. */
export function candidateLines(step: Step, trace: StepTrace, drawn: string, color: Paint): string {
  const { u, low, high } = trace.draw;
  const head = `${color.strong(`${step.position}  ${visibleLine(drawn)}`)}  ${color.faint(`u ${u.toFixed(4)} in ${low.toFixed(4)} to ${high.toFixed(4)}`)}\n`;
  const rows = trace.candidates.map(({ token, text, p, p_final, removed_by }) => {
    const mark = token === step.token ? '›' : ' ';
    const line = `  ${mark} ${pad(visibleLine(text), 16)}${left(String(token), 8)}${left(percent(p), 11)}${left(percent(p_final), 11)}`;
    return removed_by ? color.faint(`${line}  ${color.gone(removed_by)}`) : line;
  });
  return `${head}${rows.join('\n')}\n${color.faint(`    ${pad('everything else', 24)}${left(percent(trace.other), 11)}`)}\n`;
}

/** One token a line, then the mean of all scores. */
export function scoreLines(scores: readonly TokenScore[], color: Paint): string {
  const rows = scores.map(({ text, token, logprob, rank, entropy, top }) => {
    const numbers = Number.isNaN(logprob)
      ? ''
      : `${left(logprob.toFixed(3), 9)}${left(String(rank), 7)}${left(entropy.toFixed(3), 9)}`;
    const others = top
      .map((other) => `${visibleLine(other.text)} ${other.logprob.toFixed(2)}`)
      .join('  ');
    return `${pad(visibleLine(text), 18)}${left(String(token), 7)}${numbers}${others ? `   ${color.faint(others)}` : ''}`;
  });
  const scored = scores.filter(({ logprob }) => !Number.isNaN(logprob));
  const mean = scored.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(scored.length, 1);
  const head = `${pad('token', 18)}${left('id', 7)}${left('logprob', 9)}${left('rank', 7)}${left('entropy', 9)}`;
  const sum = `${scored.length} tokens scored, mean log-probability ${mean.toFixed(4)} nats, perplexity ${Math.exp(-mean).toFixed(3)}`;
  return `${color.strong(head)}\n${rows.join('\n')}\n${color.strong(sum)}\n`;
}
