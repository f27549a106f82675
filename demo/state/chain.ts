/** The sampler's chain: the stages in their order, each on or off, and the values of their options.
 *  Chains are immutable. */
import type { SamplerOptions, StageName, StageOptionName } from 'tokenglass';
import { stages } from 'tokenglass';

/** A slider for an option of a stage. Its range is smaller than the engine's: it holds the values
 *  that people use. */
export interface Setting {
  name: StageOptionName;
  stage: StageName;
  label: string;
  min: number;
  max: number;
  step: number;
  /** What the values do. */
  hint: string;
  defaultValue: number;
}

export interface ChainStage {
  readonly name: StageName;
  readonly on: boolean;
}

export type Values = Readonly<Partial<Record<StageOptionName, number>>>;

export interface Chain {
  readonly stages: readonly ChainStage[];
  readonly values: Values;
}

type SliderRange = [label: string, min: number, max: number, step: number, hint: string];

const RANGES: Partial<Record<StageOptionName, SliderRange>> = {
  penalty_repeat: ['repeat', 1, 2, 0.01, 'divides the logits of recent tokens; 1 is off'],
  penalty_freq: ['frequency', 0, 2, 0.01, 'subtracted for each time that a token occurs'],
  penalty_present: ['presence', 0, 2, 0.01, 'subtracted once from tokens that occur'],
  penalty_last_n: ['window', -1, 256, 1, 'number of recent tokens; -1: all'],
  dry_multiplier: ['multiplier', 0, 2, 0.05, 'lowers tokens that continue a repetition; 0 is off'],
  dry_base: ['base', 1, 3, 0.05, 'how fast the penalty grows with the length'],
  dry_allowed_length: ['allowed', 0, 10, 1, 'repetitions of this length have no penalty'],
  top_n_sigma: [
    'deviations',
    -1,
    4,
    0.05,
    'keeps logits within this many standard deviations of the top; -1 is off',
  ],
  top_k: ['k', 0, 200, 1, 'keeps this many tokens; 0 keeps all'],
  typical_p: [
    'p',
    0,
    1,
    0.005,
    'keeps the tokens nearest to the expected surprisal, up to this mass',
  ],
  top_p: ['p', 0, 1, 0.005, 'keeps the top tokens up to this mass; 1 keeps all'],
  min_p: ['p', 0, 0.5, 0.005, 'keeps tokens with at least this share of the top probability'],
  xtc_probability: ['probability', 0, 1, 0.01, 'how often the top tokens are removed'],
  xtc_threshold: ['threshold', 0, 0.5, 0.005, 'minimum probability of a top token'],
  temperature: ['t', 0, 2, 0.01, '0 takes the most probable token, 1 changes nothing'],
  dynatemp_range: ['range', 0, 2, 0.01, 'how far t changes with the entropy; 0 is off'],
  dynatemp_exponent: ['exponent', 0.1, 4, 0.05, 'the curve of that change'],
};

/** Values with an effect, for the stages whose default values have none. */
const USEFUL: Partial<Record<StageName, Values>> = {
  penalties: { penalty_repeat: 1.1 },
  dry: { dry_multiplier: 0.8 },
  top_n_sigma: { top_n_sigma: 1 },
  typ_p: { typical_p: 0.9 },
  xtc: { xtc_probability: 0.5, xtc_threshold: 0.1 },
};

/** The stages that the user can order and switch. Stages that take lists come before them. */
const ORDERED = stages.filter(({ chain }) => chain === 'USUAL' || chain === 'ALWAYS');

export const settings: readonly Setting[] = ORDERED.flatMap(({ name: stage, options }) =>
  options.flatMap(({ name, default: defaultValue }) => {
    const range = RANGES[name];
    if (!range) return [];
    const [label, min, max, step, hint] = range;
    return [{ name, stage, label, min, max, step, hint, defaultValue }];
  }),
);

// the stages whose default values have an effect
const DEFAULT_ON: readonly StageName[] = ['top_k', 'top_p', 'min_p', 'temperature'];

export const defaultChain: Chain = {
  stages: ORDERED.map(({ name }) => ({ name, on: DEFAULT_ON.includes(name) })),
  values: Object.fromEntries(settings.map(({ name, defaultValue }) => [name, defaultValue])),
};

/** The chain as options of the package. */
export const optionsOf = ({ stages, values }: Chain): SamplerOptions => ({
  ...values,
  samplers: stages.filter(({ on }) => on).map(({ name }) => name),
});

export const withValue = (chain: Chain, name: StageOptionName, value: number): Chain => ({
  ...chain,
  values: { ...chain.values, [name]: value },
});

export const switchStage = (chain: Chain, name: StageName, on: boolean): Chain => ({
  ...chain,
  stages: chain.stages.map((stage) => (stage.name === name ? { name, on } : stage)),
});

/** Switches a stage on, with a useful value when its default values do nothing. */
export function withStage(chain: Chain, name: StageName): Chain {
  const values = { ...chain.values, ...USEFUL[name] };
  return switchStage({ ...chain, values }, name, true);
}

/** Moves a stage to an index. The other stages keep their order. */
export function moveStage(chain: Chain, name: StageName, index: number): Chain {
  const stage = chain.stages.find((stage) => stage.name === name);
  if (!stage) return chain;
  const stages = chain.stages.filter((other) => other !== stage);
  stages.splice(Math.max(0, Math.min(stages.length, index)), 0, stage);
  return { ...chain, stages };
}

/** A chain from untrusted data. Known stages are on, in the given order, each once; the other
 *  stages follow and are off. Values outside the engine's limits become the defaults. */
export function chainFrom(
  order: readonly unknown[],
  values: Readonly<Record<string, unknown>>,
): Chain {
  const known = new Map(ORDERED.map(({ name }) => [name as string, name]));
  const on = [...new Set(order)].flatMap((name) =>
    typeof name === 'string' && known.has(name) ? [known.get(name)!] : [],
  );
  const off = defaultChain.stages.filter(({ name }) => !on.includes(name));
  const options = ORDERED.flatMap(({ options }) => options);
  const valid = settings.flatMap(({ name }) => {
    const value = values[name];
    const { min, max, whole } = options.find((option) => option.name === name)!;
    const isValid =
      typeof value === 'number' &&
      value >= min &&
      value <= max &&
      (!whole || Number.isInteger(value));
    return isValid ? [[name, value] as const] : [];
  });
  return {
    stages: [
      ...on.map((name) => ({ name, on: true })),
      ...off.map(({ name }) => ({ name, on: false })),
    ],
    values: { ...defaultChain.values, ...Object.fromEntries(valid) },
  };
}

/** The values that are not the defaults. */
export const changedValues = ({ values }: Chain): Values =>
  Object.fromEntries(
    settings
      .filter(({ name, defaultValue }) => values[name] !== defaultValue)
      .map(({ name }) => [name, values[name]]),
  );
