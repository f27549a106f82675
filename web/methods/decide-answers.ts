/** From logits to answers: softmax over labels, confidence, and the two shapes of answers. */
import type { Option, Question } from './decide-input.js';
import type { Prompt } from './decide-rules.js';
import { exp } from './exp.js';
import { TokenglassError } from '../types/errors.js';
import type {
  DecisionAnswer,
  DecisionDetails,
  DecisionReading,
  RefusalReason,
  StepTrace,
  SystemOneAnswer,
} from '../types/types.js';

/** Why a question has no answer. */
export interface Refusal {
  reason: RefusalReason;
  message: string;
}

/** What a question's runs gave. */
export interface Outcome extends DecisionDetails {
  /** By option; by rating for a question that has ratings. */
  probabilities: number[];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

/** Index of the largest value, the first one of several. */
const indexOfMax = (values: readonly number[]) => values.indexOf(Math.max(...values));

const notFinite = () =>
  new TokenglassError('LOGITS_NOT_FINITE', 'the model gives no numbers for the decision');

/** Softmax over the whole vocabulary: the probability of a token. */
function distribution(logits: Float32Array): (token: number) => number {
  let max = -Infinity;
  for (const logit of logits) if (!(logit <= max)) max = logit;
  let total = 0;
  for (const logit of logits) total += exp(logit - max);
  if (!(total > 0 && total < Infinity && Number.isFinite(max))) throw notFinite();
  return (token) => exp(logits[token]! - max) / total;
}

/** Softmax as llama.cpp computes it: the difference to the largest logit is a 32-bit float. */
function softmax(scores: readonly number[], temperature: number): number[] {
  const max = Math.max(...scores);
  if (!Number.isFinite(max)) throw notFinite();
  const weights = scores.map((score) => exp(Math.fround(score - max) / temperature));
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** What one run says. */
export function readLabels(
  { ids, labels }: Prompt,
  logits: Float32Array,
  temperature: number,
  trace: StepTrace | undefined,
): DecisionReading {
  const p = distribution(logits);
  const best = labels.map(({ tokens }) =>
    tokens.reduce((a, b) => (logits[b]! > logits[a]! ? b : a)),
  );
  const probabilities = softmax(
    best.map((token) => logits[token]!),
    temperature,
  );
  const rows = labels.map(({ option, text }, i) => {
    const token = best[i]!;
    const logit = logits[token]!;
    return { option, label: text, token, logit, p: p(token), probability: probabilities[i]! };
  });
  const all = new Set(labels.flatMap(({ tokens }) => tokens));
  const label_mass = Math.min(1, sum([...all].map(p)));
  return { labels: rows, label_mass, n_tokens: ids.length, trace };
}

/** The runs of one question together. */
export function combine(readings: DecisionReading[], temperature: number): Outcome {
  const byOption = readings.map(({ labels }) => {
    const probabilities = new Array<number>(labels.length).fill(0);
    for (const { option, probability } of labels) probabilities[option] = probability;
    return probabilities;
  });
  const [first, second] = byOption;
  return {
    probabilities: first!.map((_, option) => mean(byOption.map((p) => p[option]!))),
    label_mass: mean(readings.map(({ label_mass }) => label_mass)),
    order_effect: second && Math.max(...first!.map((p, option) => Math.abs(p - second[option]!))),
    temperature,
    readings,
  };
}

/** How far the best of n options is above chance. */
export function choiceConfidence(probabilities: readonly number[]): number {
  const chance = 1 / probabilities.length;
  return Math.max(0, (Math.max(...probabilities) - chance) / (1 - chance));
}

/** How near to the most probable level the others are. */
export function scoreConfidence(probabilities: readonly number[]): number {
  const mode = indexOfMax(probabilities);
  const middle = (probabilities.length - 1) / 2;
  const distance = sum(probabilities.map((p, i) => p * Math.abs(i - mode)));
  const even = mean(probabilities.map((_, i) => Math.abs(i - middle)));
  return Math.max(0, 1 - distance / even);
}

/** The mean of the levels' numbers. */
const meanLevel = (probabilities: readonly number[]) => sum(probabilities.map((p, i) => i * p));

/** Probability of yes. */
const yesOf = (probabilities: readonly number[], hasRatings: boolean) =>
  hasRatings ? meanLevel(probabilities) / (probabilities.length - 1) : probabilities[0]!;

const isRefusal = (outcome: Outcome | Refusal): outcome is Refusal => 'reason' in outcome;

/** The answer in a list. */
export function listAnswer(
  { name, given, options }: Question,
  outcome: Outcome | Refusal,
  hasRatings: boolean,
): DecisionAnswer {
  if (isRefusal(outcome)) return { type: 'refusal', name, ...outcome };
  const { probabilities, ...details } = outcome;
  if (given === 'choice') {
    return {
      type: 'choice',
      name,
      choice: options[indexOfMax(probabilities)]!.value,
      confidence: choiceConfidence(probabilities),
      probabilities: options.map(({ value }, i) => ({ value, probability: probabilities[i]! })),
      ...details,
    };
  }
  if (given === 'score') {
    return {
      type: 'score',
      name,
      score: meanLevel(probabilities),
      confidence: scoreConfidence(probabilities),
      probabilities: options.map(({ value }, i) => ({
        label: String(value),
        probability: probabilities[i]!,
        value: i,
      })),
      ...details,
    };
  }
  return { type: 'predicate', name, probability: yesOf(probabilities, hasRatings), ...details };
}

const byKey = <T>(options: readonly Option[], valueOf: (option: Option, i: number) => T) =>
  Object.fromEntries(options.map((option, i) => [option.key, valueOf(option, i)]));

/** The answer in a record. */
export function recordAnswer(
  { given, options }: Question,
  outcome: Outcome | Refusal,
  hasRatings: boolean,
): SystemOneAnswer {
  if (isRefusal(outcome)) return { type: 'refusal', ...outcome };
  const { probabilities: all, ...details } = outcome;
  const probabilities = byKey(options, (_, i) => all[i]!);
  if (given === 'choice') {
    const choice = options[indexOfMax(all)]!.key;
    return {
      type: 'choice',
      choice,
      probabilities,
      confidence: choiceConfidence(all),
      ...details,
    };
  }
  if (given === 'score') {
    return {
      type: 'score',
      score: meanLevel(all),
      legend: byKey(options, ({ description }) => description),
      probabilities,
      confidence: scoreConfidence(all),
      ...details,
    };
  }
  const yes = yesOf(all, hasRatings);
  return given === 'boolean'
    ? { type: 'boolean', probability: yes, ...details }
    : { type: 'noul', noul: yes, ...details };
}
