/**
 * The list of lenses: one row a lens. The types of the calls and their options, the checks of
 * options and the tables in README.md come from this list.
 */
import { readListedOptions } from '../types/listed-options.js';
import type { OptionValue } from '../types/listed-options.js';
import { withSignal } from '../types/signals.js';
import type { LensInfo, Lenses, Model } from '../types/types.js';
import { textRows } from './list-texts.js';

const rows = [
  ...textRows,
  {
    name: 'pawn',
    title: 'Detector features',
    summary:
      'Five features of each token, as detectors of generated text use them, and figures of the ' +
      'whole text that need no trained weights.',
    argument: { name: 'text', value: 'TextOrIds' },
    options: [],
    result: 'PawnResult',
    source: {
      title:
        'Not all tokens are created equal: Perplexity Attention Weighted Networks for AI ' +
        'generated text detection',
      authors: 'Pablo Miralles-González, Javier Huertas-Tato, Alejandro Martín, David Camacho',
      year: 2025,
      paper: 46,
    },
    reconstructed: false,
    cost: 'The text runs once.',
    example: [
      "const { tokens, summary } = await model.lens.pawn('The cat sat on the mat.');",
      'console.log(summary.mean_logprob, summary.ratio);',
      'for (const { text, logprob, top_p } of tokens) console.log(text, logprob, top_p);',
    ],
    file: 'pawn.ts',
  },
] as const satisfies readonly LensInfo[];

type Row = (typeof rows)[number];

/** The name of a lens. */
export type LensName = Row['name'];

/** The options of a lens, checked and with their defaults. */
export type LensValues<N extends LensName> = {
  [O in Extract<Row, { name: N }>['options'][number] as O['name']]: OptionValue<O>;
};

/** Every lens, with its options and its source. */
export const lenses: readonly LensInfo[] = rows;

/** A lens as a function of the model. */
export type LensCall<N extends keyof Lenses> = (
  model: Model,
  ...args: Parameters<Lenses[N]>
) => ReturnType<Lenses[N]>;

/**
 * Calls `use` with a lens's options, checked and with their defaults, and with a signal. Rejects
 * with INVALID_ARGUMENT.
 */
export async function withOptions<N extends LensName, R>(
  name: N,
  given: object | undefined,
  use: (options: LensValues<N>, signal: AbortSignal) => Promise<R> | R,
): Promise<R> {
  const { options } = rows.find((row) => row.name === name)!;
  const { signal, ...read } = readListedOptions(options, given, `lens.${name}`, ['signal']);
  return withSignal(signal, (own) => use(read as LensValues<N>, own));
}
