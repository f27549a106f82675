/** The sampler's chain: in, the user's wishes; out, an immutable chain of stages with their order, switches and values, and what the engine is to be asked with. */
import type { SamplerOptions, StageName, StageOptionName } from 'tokenglass';
import { stages } from 'tokenglass';

/** A slider for an option of a stage, with the range that is useful to a hand. */
export interface Setting {
  name: StageOptionName;
  stage: StageName;
  label: string;
  min: number;
  max: number;
  step: number;
  /** What the values do. */
  hint: string;
  usual: number;
}

export interface Place {
  readonly name: StageName;
  readonly on: boolean;
}

export type Values = Readonly<Partial<Record<StageOptionName, number>>>;

export interface Chain {
  readonly places: readonly Place[];
  readonly values: Values;
}

type Range = [label: string, min: number, max: number, step: number, hint: string];

const RANGES: Partial<Record<StageOptionName, Range>> = {
  penalty_repeat: ['repeat', 1, 2, 0.01, 'divides the logits of recent tokens; 1 is off'],
  penalty_freq: ['frequency', 0, 2, 0.01, 'taken off for each time a token stands there'],
  penalty_present: ['presence', 0, 2, 0.01, 'taken off once'],
  penalty_last_n: ['window', -1, 256, 1, 'how many tokens count as recent; -1: all'],
  dry_multiplier: ['multiplier', 0, 2, 0.05, 'lowers what would carry on a repetition; 0 is off'],
  dry_base: ['base', 1, 3, 0.05, 'how fast that grows with the length'],
  dry_allowed_length: ['allowed', 0, 10, 1, 'a repetition of that many tokens is free'],
  top_n_sigma: ['deviations', -1, 4, 0.05, 'keeps logits within so many of the top; -1 is off'],
  top_k: ['k', 0, 200, 1, 'keeps that many; 0 keeps all'],
  typical_p: ['p', 0, 1, 0.005, 'keeps those nearest to the expected surprise, up to that mass'],
  top_p: ['p', 0, 1, 0.005, 'keeps the top tokens up to that mass; 1 keeps all'],
  min_p: ['p', 0, 0.5, 0.005, 'keeps what is so many times as probable as the top one'],
  xtc_probability: ['probability', 0, 1, 0.01, 'how often the top choices are excluded'],
  xtc_threshold: ['threshold', 0, 0.5, 0.005, 'from which probability a token is a top choice'],
  temperature: ['t', 0, 2, 0.01, '0 takes the most probable, 1 changes nothing'],
  dynatemp_range: ['range', 0, 2, 0.01, 'how far t follows the entropy; 0 is off'],
  dynatemp_exponent: ['exponent', 0.1, 4, 0.05, 'how it follows'],
};

/** Stages that a hand orders and switches; those of lists come before them. */
const ORDERED = stages.filter(({ chain }) => chain === 'USUAL' || chain === 'ALWAYS');

export const settings: readonly Setting[] = ORDERED.flatMap(({ name: stage, options }) =>
  options.flatMap(({ name, default: usual }) => {
    const range = RANGES[name];
    if (!range) return [];
    const [label, min, max, step, hint] = range;
    return [{ name, stage, label, min, max, step, hint, usual }];
  }),
);

const AT_FIRST: readonly StageName[] = ['top_k', 'top_p', 'min_p', 'temperature']; // those whose defaults do anything

export const usualChain: Chain = {
  places: ORDERED.map(({ name }) => ({ name, on: AT_FIRST.includes(name) })),
  values: Object.fromEntries(settings.map(({ name, usual }) => [name, usual])),
};

/** What the engine is asked with. */
export const optionsOf = ({ places, values }: Chain): SamplerOptions => ({
  ...values,
  samplers: places.filter(({ on }) => on).map(({ name }) => name),
});

export const withValue = (chain: Chain, name: StageOptionName, value: number): Chain => ({
  ...chain,
  values: { ...chain.values, [name]: value },
});

export const switched = (chain: Chain, name: StageName, on: boolean): Chain => ({
  ...chain,
  places: chain.places.map((place) => (place.name === name ? { name, on } : place)),
});

/** A stage at another place; the others keep their order. */
export function moved(chain: Chain, name: StageName, to: number): Chain {
  const place = chain.places.find((place) => place.name === name);
  if (!place) return chain;
  const places = chain.places.filter((other) => other !== place);
  places.splice(Math.max(0, Math.min(places.length, to)), 0, place);
  return { ...chain, places };
}

/** A chain from what a stranger wrote: known stages once each, the rest behind them switched off; numbers within the engine's limits. */
export function chainFrom(
  order: readonly unknown[],
  values: Readonly<Record<string, unknown>>,
): Chain {
  const known = new Map(ORDERED.map(({ name }) => [name as string, name]));
  const on = [...new Set(order)].flatMap((name) =>
    typeof name === 'string' && known.has(name) ? [known.get(name)!] : [],
  );
  const rest = usualChain.places.filter(({ name }) => !on.includes(name));
  const options = ORDERED.flatMap(({ options }) => options);
  const taken = settings.flatMap(({ name }) => {
    const value = values[name];
    const { min, max, whole } = options.find((option) => option.name === name)!;
    const fits =
      typeof value === 'number' &&
      value >= min &&
      value <= max &&
      (!whole || Number.isInteger(value));
    return fits ? [[name, value] as const] : [];
  });
  return {
    places: [
      ...on.map((name) => ({ name, on: true })),
      ...rest.map(({ name }) => ({ name, on: false })),
    ],
    values: { ...usualChain.values, ...Object.fromEntries(taken) },
  };
}

/** The values that are not the usual ones. */
export const changedValues = ({ values }: Chain): Values =>
  Object.fromEntries(
    settings
      .filter(({ name, usual }) => values[name] !== usual)
      .map(({ name }) => [name, values[name]]),
  );
