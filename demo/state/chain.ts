/** The sampler's chain: the stages in their order, each on or off, and the values of their options.
 *  Chains are immutable. */
import type { SamplerOptions, StageName, StageOptionName } from 'tokenglass';
import { stages } from 'tokenglass';

/** An option of a stage: a slider for the values that people use, and a number field for all values
 *  that the engine takes. */
export interface Setting {
  name: StageOptionName;
  stage: StageName;
  label: string;
  /** The slider's range. */
  min: number;
  max: number;
  step: number;
  /** What the values do. */
  hint: string;
  defaultValue: number;
  /** The value when the user adds the stage and its present values have no effect. */
  startValue: number;
  /** What the engine takes. */
  limits: { min: number; max: number; whole: boolean };
}

export interface ChainStage {
  readonly name: StageName;
  readonly on: boolean;
}

export type Values = Readonly<Partial<Record<StageOptionName, number>>>;

/** Numbers by token id. -Infinity bans the token. */
export type TokenBias = Readonly<Record<string, number>>;

export interface Chain {
  readonly stages: readonly ChainStage[];
  readonly values: Values;
  /** What the stage logit_bias adds to the scores of tokens. Token ids belong to one model. */
  readonly bias: TokenBias;
}

type SliderRange = [label: string, min: number, max: number, step: number, hint: string];

/** The sliders. The first one of a stage sets the stage's strength. */
const RANGES: Partial<Record<StageOptionName, SliderRange>> = {
  penalty_repeat: ['repeat', 1, 2, 0.01, 'divides the scores of recent tokens; 1 is off'],
  penalty_freq: ['frequency', 0, 2, 0.01, 'subtracted for each time that a token occurs'],
  penalty_present: ['presence', 0, 2, 0.01, 'subtracted once from tokens that occur'],
  penalty_last_n: ['look back', -1, 256, 1, 'number of recent tokens; -1: all'],
  dry_multiplier: ['multiplier', 0, 2, 0.05, 'lowers tokens that extend a repetition; 0 is off'],
  dry_base: ['base', 1, 3, 0.05, 'how fast the penalty grows with the length'],
  dry_allowed_length: ['free length', 0, 10, 1, 'shorter repetitions have no penalty'],
  dry_penalty_last_n: ['look back', -1, 256, 1, 'number of recent tokens; -1: all'],
  top_n_sigma: ['sigmas', 0, 4, 0.05, 'standard deviations below the highest score; 0 is off'],
  top_k: ['top-k', 0, 200, 1, 'keeps this many tokens; 0 keeps all'],
  typical_p: ['typical', 0, 1, 0.005, 'total probability of the tokens that stay; 1 keeps all'],
  top_p: ['top-p', 0, 1, 0.005, 'total probability of the tokens that stay; 1 keeps all'],
  min_p: ['min-p', 0, 0.5, 0.005, 'smallest share of the best probability; 0 keeps all'],
  xtc_probability: ['probability', 0, 1, 0.01, 'how often the top tokens are excluded'],
  xtc_threshold: ['threshold', 0, 0.5, 0.005, 'smallest probability of a top token'],
  temperature: ['temperature', 0, 2, 0.01, '0 takes the most probable token, 1 changes nothing'],
  dynatemp_range: ['range', 0, 2, 0.01, 'how far uncertainty changes the temperature; 0 is off'],
  dynatemp_exponent: ['exponent', 0.1, 4, 0.05, 'the curve of that change'],
  mirostat_tau: ['surprise', 0, 10, 0.1, 'the average surprise to aim at, in bits'],
  mirostat_eta: ['learning rate', 0, 1, 0.01, 'how fast the limit follows the text'],
  mirostat: ['version', 0, 2, 1, '1 or 2; 0 is off'],
};

/** Values with an effect, for options whose defaults have none. */
const START_VALUES: Values = {
  penalty_repeat: 1.1,
  dry_multiplier: 0.8,
  top_n_sigma: 1,
  typical_p: 0.9,
  xtc_probability: 0.5,
  mirostat: 2,
  mirostat_tau: 3,
};

/** The stages that the user can order and switch. Other stages with lists come before them. */
const ORDERED = stages.filter(({ chain, name }) => chain !== 'LISTED' || name === 'logit_bias');

const RANGE_ORDER = Object.keys(RANGES);

/** The options of each stage, the stage's strength first. */
export const settings: readonly Setting[] = ORDERED.flatMap(({ name: stage, options }) =>
  options
    .flatMap(({ name, default: value, min: lowest, max: highest, whole }) => {
      const range = RANGES[name];
      if (!range) return [];
      const [label, min, max, step, hint] = range;
      const defaultValue = Math.max(min, value); // top_n_sigma: 0 and -1 are both off
      const startValue = START_VALUES[name] ?? defaultValue;
      const limits = { min: lowest, max: highest, whole };
      return [{ name, stage, label, min, max, step, hint, defaultValue, startValue, limits }];
    })
    .toSorted((a, b) => RANGE_ORDER.indexOf(a.name) - RANGE_ORDER.indexOf(b.name)),
);

export const settingsOf = (stage: StageName): readonly Setting[] =>
  settings.filter((setting) => setting.stage === stage);

// the stages whose default values have an effect
const DEFAULT_ON: readonly StageName[] = ['top_k', 'top_p', 'min_p', 'temperature'];

export const defaultChain: Chain = {
  stages: ORDERED.map(({ name }) => ({ name, on: DEFAULT_ON.includes(name) })),
  values: Object.fromEntries(settings.map(({ name, defaultValue }) => [name, defaultValue])),
  bias: {},
};

/** The stages that are on, in their order. */
export const stagesOn = ({ stages }: Chain): readonly StageName[] =>
  stages.filter(({ on }) => on).map(({ name }) => name);

/** The chain as options of the package. */
export function optionsOf(chain: Chain): SamplerOptions {
  const samplers = stagesOn(chain);
  // the engine refuses a version of mirostat without the stage
  const off = samplers.includes('mirostat') ? {} : { mirostat: 0 };
  // undefined, so that these options can replace others that have a bias
  const logit_bias = samplers.includes('logit_bias') ? chain.bias : undefined;
  return { ...chain.values, ...off, samplers, logit_bias };
}

/** Sets the bias of a token; 0: none. A chain with the first bias has the stage on. */
export function withBias(chain: Chain, token: number, value: number): Chain {
  const { [token]: _, ...others } = chain.bias;
  const bias = value === 0 ? others : { ...others, [token]: value };
  return { ...switchStage(chain, 'logit_bias', Object.keys(bias).length > 0), bias };
}

/** The chain for another model, which has other token ids. */
export const withoutBias = (chain: Chain): Chain => ({
  ...switchStage(chain, 'logit_bias', false),
  bias: {},
});

export const withValue = (chain: Chain, name: StageOptionName, value: number): Chain => ({
  ...chain,
  values: { ...chain.values, [name]: value },
});

export const switchStage = (chain: Chain, name: StageName, on: boolean): Chain => ({
  ...chain,
  stages: chain.stages.map((stage) => (stage.name === name ? { name, on } : stage)),
});

/** Whether a stage that is on can change anything with these values. */
function hasEffect(stage: StageName, values: Values): boolean {
  const value = (name: StageOptionName) => values[name]!;
  switch (stage) {
    case 'penalties':
      return (
        value('penalty_last_n') !== 0 &&
        (value('penalty_repeat') !== 1 ||
          value('penalty_freq') !== 0 ||
          value('penalty_present') !== 0)
      );
    case 'dry':
      return (
        value('dry_multiplier') !== 0 && value('dry_base') >= 1 && value('dry_penalty_last_n') !== 0
      );
    case 'top_n_sigma':
      return value('top_n_sigma') > 0;
    case 'top_k':
      return value('top_k') > 0;
    case 'typ_p':
      return value('typical_p') < 1;
    case 'top_p':
      return value('top_p') < 1;
    case 'min_p':
      return value('min_p') > 0;
    case 'xtc':
      return value('xtc_probability') > 0 && value('xtc_threshold') <= 0.5;
    case 'temperature':
      return value('temperature') !== 1 || value('dynatemp_range') > 0;
    case 'mirostat':
      return value('mirostat') > 0;
    default:
      return true; // a list of tokens
  }
}

/** Switches a stage on. If its values have no effect, it gets values that have one. */
export function withStage(chain: Chain, name: StageName): Chain {
  const start = hasEffect(name, chain.values)
    ? []
    : settingsOf(name).map(({ name, startValue }) => [name, startValue] as const);
  return {
    ...switchStage(chain, name, true),
    values: { ...chain.values, ...Object.fromEntries(start) },
  };
}

/** Moves a stage that is on to a position among the stages that are on. */
export function placeStage(chain: Chain, name: StageName, position: number): Chain {
  const others = stagesOn(chain).filter((other) => other !== name);
  const to = Math.max(0, Math.min(others.length, position));
  const next = others[to];
  const rest = chain.stages.filter((stage) => stage.name !== name);
  const indexOf = (other: StageName) => rest.findIndex((stage) => stage.name === other);
  if (next !== undefined) return moveStage(chain, name, indexOf(next));
  const last = others.at(-1);
  return last === undefined ? chain : moveStage(chain, name, indexOf(last) + 1);
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
  bias: Readonly<Record<string, unknown>> = {},
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
    bias: Object.fromEntries(
      Object.entries(bias).filter(
        (entry): entry is [string, number] =>
          /^(0|[1-9]\d{0,8})$/.test(entry[0]) &&
          typeof entry[1] === 'number' &&
          entry[1] < Infinity,
      ),
    ),
  };
}

/** The values that are not the defaults. */
export const changedValues = ({ values }: Chain): Values =>
  Object.fromEntries(
    settings
      .filter(({ name, defaultValue }) => values[name] !== defaultValue)
      .map(({ name }) => [name, values[name]]),
  );
