/**
 * How a question becomes prompts with labels: for any chat model, and for the decision models that
 * llama.cpp's server reads at labels.
 */
import { jsonText } from './decide-input.js';
import type { Question } from './decide-input.js';
import { CAPITALS, LETTERS, LabelsMissing, PAIRS, TWO_DIGITS } from './decide-labels.js';
import type { Label, Labels } from './decide-labels.js';
import { TokenglassError, shown } from '../types/errors.js';
import type { Model } from '../types/types.js';

/** What an option has in a prompt. */
export interface PromptLabel {
  /** Index of the option in the question; of the rating, for a question that has ratings. */
  option: number;
  text: string;
  /** Tokens that all mean the label: the one with the largest logit counts. */
  tokens: readonly number[];
}

/** A prompt, and the labels that can follow the prompt. */
export interface Prompt {
  ids: readonly number[];
  labels: readonly PromptLabel[];
}

export interface Rule {
  /** Whether yes or no is read from ratings: the mean of the ratings from 0 to 1 counts. */
  hasRatings(question: Question): boolean;
  temperature(question: Question): number;
  /** The prompts of one question. Throws LabelsMissing. */
  prompts(question: Question, all: readonly Question[]): Promise<Prompt[]>;
}

/** What the rules need from the model. */
export interface DecideHost {
  model: Model;
  labels: Labels;
  /** The text that a template makes of its variables. Throws TEMPLATE_FAILED. */
  render(template: string, variables: Readonly<Record<string, unknown>>): Promise<string>;
}

export const MIN_TEMPERATURE = 1e-3;
export const MAX_TEMPERATURE = 1e6; // of the sampler, which makes the traces
export const isTemperature = (value: unknown) =>
  typeof value === 'number' && value >= MIN_TEMPERATURE && value <= MAX_TEMPERATURE;

/** What a caller chose. */
export interface Choices {
  temperature: number | undefined;
  bothOrders: boolean;
  template: string | undefined;
  chat_template_kwargs: Readonly<Record<string, unknown>>;
}

const inOrder = (n: number) => Array.from({ length: n }, (_, i) => i);

const oneTokenEach = (order: readonly number[], labels: readonly Label[]): PromptLabel[] =>
  order.map((option, i) => {
    const { text, token } = labels[i]!;
    return { option, text, tokens: [token] };
  });

// ---- any chat model ----

/** The text of an option behind its label. A text that reads as a boolean has quotation marks. */
function optionText({ type }: Question, option: Question['options'][number], i: number): string {
  const meaning =
    option.description === null ? '' : jsonText(option.description, `the description of ${i}`);
  if (type === 'score') return meaning || option.key; // a level's name is in its meaning
  const isQuoted = option.value === 'true' || option.value === 'false';
  const noun = option.value === true ? 'yes' : 'no';
  const name =
    type === 'noul' ? noun : isQuoted ? JSON.stringify(option.value) : String(option.value);
  return meaning ? `${name} (${meaning})` : name;
}

/** The message of the user. The state comes first, so that all questions share it. */
function userMessage(state: unknown, question: Question, labels: readonly PromptLabel[]): string {
  const lines = labels.map(
    ({ option, text }) => `${text}: ${optionText(question, question.options[option]!, option)}`,
  );
  const asks = { noul: 'Is this true?', choice: 'Choose the best option.', score: 'Rate this.' };
  return [
    jsonText(state, 'state'),
    `${asks[question.type]} ${jsonText(question.instructions, 'the instructions')}`,
    lines.join('\n'),
    'Answer with the label of one option and with nothing else.',
  ].join('\n\n');
}

/** The variables of a `systemone` template. */
const templateInput = (
  state: unknown,
  question: Question,
  order: readonly number[],
  labels: readonly PromptLabel[] | undefined,
) => ({
  id: question.id,
  type: question.type,
  instructions: question.instructions,
  state,
  options: order.map((option, i) => {
    const { key, description } = question.options[option]!;
    return { key, description, ...(labels && { label: labels[i]!.text }) };
  }),
  images: [],
});

/** The labels A, B, C; with many options also AA, then numbers. */
const CHAT_LABELS = [...CAPITALS, ...PAIRS, ...TWO_DIGITS, ...inOrder(1000).map(String)];

/** The rule for a model that chats, and for a caller's own template. */
export async function chatRule(host: DecideHost, state: unknown, choices: Choices): Promise<Rule> {
  const { model, labels, render } = host;
  const { template, bothOrders, chat_template_kwargs } = choices;
  const { bos, eos } = model.info;
  const nameOf = async (id: number | undefined) => (id === undefined ? '' : model.tokenText(id));
  const [bos_token, eos_token] = [await nameOf(bos), await nameOf(eos)];
  const kwargs = { enable_thinking: false, thinking: false, ...chat_template_kwargs };
  const idsOf = async (question: Question, order: number[], shownLabels: PromptLabel[]) => {
    if (template === undefined) {
      const content = userMessage(state, question, shownLabels);
      const prompt = await model.applyChatTemplate([{ role: 'user', content }], {
        chat_template_kwargs: kwargs,
      });
      return prompt.ids;
    }
    const input = templateInput(state, question, order, shownLabels);
    const text = await render(template, { ...input, bos_token, eos_token });
    const add_special = bos_token === '' || !text.startsWith(bos_token); // no second BOS
    return model.tokenize(text, { add_special, parse_special: true });
  };
  return {
    hasRatings: () => false,
    temperature: () => choices.temperature ?? 1,
    async prompts(question) {
      const order = inOrder(question.options.length);
      const found = await labels.first(order.length, CHAT_LABELS);
      const orders = bothOrders ? [order, [...order].reverse()] : [order];
      return Promise.all(
        orders.map(async (shownOrder) => {
          const shownLabels = oneTokenEach(shownOrder, found);
          return { ids: await idsOf(question, shownOrder, shownLabels), labels: shownLabels };
        }),
      );
    },
  };
}

// ---- decision models ----

/** How llama.cpp's server reads a type of decision model. */
interface DecisionType {
  /** Labels that are tried, in this order. */
  labels: readonly string[];
  /** Whether all labels must be tokens; else those that are none are left out. */
  needsAll: boolean;
  maxOptions: number;
  /** Whether the template gets the labels. */
  showsLabels: boolean;
  /** Whether a question of yes and no lists yes first. */
  yesFirst: boolean;
  /** Whether a choice is read in both orders. */
  bothOrders: boolean;
  /** Number of ratings from which yes or no is read; 0: the options themselves are read. */
  ratings: number;
  /** Whether the template gets all questions of the request. */
  listsQuestions: boolean;
  /** Whether the keys of objects are sorted. */
  sortsKeys: boolean;
  /** The part of a temperature's key for a number of options. */
  bucket(n: number): string;
}

const bucket = (n: number) => (n <= 2 ? '2' : n <= 5 ? '3_5' : n <= 10 ? '6_10' : '11');
const CODES: DecisionType = {
  labels: [...CAPITALS, ...PAIRS],
  needsAll: false,
  maxOptions: 255,
  showsLabels: true,
  yesFirst: false,
  bothOrders: false,
  ratings: 0,
  listsQuestions: false,
  sortsKeys: false,
  bucket,
};
const TYPES: Readonly<Record<string, DecisionType>> = {
  openjev: {
    ...CODES,
    labels: LETTERS,
    needsAll: true,
    maxOptions: LETTERS.length,
    showsLabels: false,
    yesFirst: true,
  },
  lev: {
    ...CODES,
    bothOrders: true,
    ratings: 9,
    sortsKeys: true,
    bucket: (n) => (n <= 8 ? 'small' : n <= 26 ? 'mid' : 'large'),
  },
  nimble: { ...CODES, listsQuestions: true },
  'pplx-decider': CODES,
  // its labels depend on the question: see d1Labels
  'lfm2-d1': { ...CODES, yesFirst: true },
};

/** Types that are read from something else than logits of labels, and from what. */
const UNREADABLE: Readonly<Record<string, string>> = {
  kev: 'hidden states at the ends of the options',
  laya: 'hidden states of an encoder at markers',
  clef: 'a head that compares all options',
  'lfm2-d1-omni': 'hidden states of an encoder at markers',
};

const ALL_DIGITS = inOrder(200).map((i) => `#${i}`);
const LETTER = /^[A-Za-z]$/;

/** The labels of the type lfm2-d1, in the order of the options that the prompt lists. */
async function d1Labels(labels: Labels, { type, options }: Question): Promise<PromptLabel[]> {
  if (type !== 'choice') {
    const forms = options.map(({ key }) => {
      if (type === 'score') return [key];
      return key === 'true' ? ['yes', 'Yes', 'YES'] : ['no', 'No', 'NO'];
    });
    return Promise.all(
      forms.map(async (texts, option) => {
        const found = (await labels.tokens(texts)).filter((token) => token !== undefined);
        const { key } = options[option]!;
        if (found.length === 0) throw new LabelsMissing(`no form of ${shown(key)} is one token`);
        return { option, text: key, tokens: [...new Set(found)] };
      }),
    );
  }
  const areLetters = options.every(({ key }) => LETTER.test(key));
  const wanted = options.map(({ key }, i) => {
    if (areLetters) return key;
    return options.length <= CAPITALS.length ? CAPITALS[i]! : String(i).padStart(2, '0');
  });
  const pool = [
    ...CAPITALS,
    ...TWO_DIGITS,
    ...CAPITALS.map((letter) => letter.toLowerCase()),
    ...ALL_DIGITS,
    ...PAIRS,
  ];
  const used = new Set<number>();
  const result: PromptLabel[] = [];
  for (const [option, code] of wanted.entries()) {
    const texts = [code, ...pool];
    let taken: Label | undefined;
    for (let i = 0; i < texts.length && !taken; i++) {
      const [token] = await labels.tokens([texts[i]!]);
      if (token !== undefined && !used.has(token)) taken = { text: texts[i]!, token };
    }
    if (!taken) throw new LabelsMissing(`no label of one token is left for option ${option}`);
    used.add(taken.token);
    const [spaced] = await labels.tokens([` ${taken.text}`]);
    const tokens = spaced === undefined ? [taken.token] : [...new Set([taken.token, spaced])];
    result.push({ option, text: taken.text, tokens });
  }
  return result;
}

const encoder = new TextEncoder();
/** A text whose characters are the bytes of the key: such texts sort as C++ sorts UTF-8. */
const bytesText = (key: string) => String.fromCharCode(...encoder.encode(key));

/** The same JSON with the keys of all objects sorted by their bytes. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, member]) => [bytesText(key), key, member] as const,
  );
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return new Map(entries.map(([, key, member]) => [key, sortKeys(member)]));
}

const TEMPLATE_KEY = 'tokenizer.chat_template.systemone';
const prefixOf = (model: Model) => `${model.info.architecture}.decision.`;

/** The keys of a file that decisionRule reads: their prefixes. */
export const decisionKeys = (model: Model): string[] => [prefixOf(model), TEMPLATE_KEY];

/** The temperatures of the file by the end of their keys. */
function temperaturesOf(values: ReadonlyMap<string, string>, prefix: string): Map<string, number> {
  const result = new Map<string, number>();
  for (const [key, text] of values) {
    if (!key.startsWith(prefix)) continue;
    const value = Math.fround(Number(text));
    if (!isTemperature(value))
      throw new TokenglassError('MODEL_KEY_BAD', `${key} is ${shown(text)}: no temperature`);
    result.set(key.slice(prefix.length), value);
  }
  return result;
}

/**
 * The rule of a file with the key <arch>.decision.type, as llama.cpp's server reads it; undefined
 * for another file. Throws OPTION_UNSUPPORTED for a type that is not read from labels.
 * values: the keys of the file.
 */
export function decisionRule(
  { model, labels, render }: DecideHost,
  values: ReadonlyMap<string, string>,
  state: unknown,
  temperature: number | undefined,
): Rule | undefined {
  const prefix = prefixOf(model);
  const name = values.get(`${prefix}type`);
  if (name === undefined) return undefined;
  if (!Object.hasOwn(TYPES, name)) {
    const reads = Object.hasOwn(UNREADABLE, name) ? `: it reads ${UNREADABLE[name]}` : '';
    throw new TokenglassError(
      'OPTION_UNSUPPORTED',
      `the decision model is of the type ${shown(name)}, which is not supported${reads}`,
    );
  }
  const type = TYPES[name]!;
  const template = values.get(TEMPLATE_KEY);
  if (template === undefined)
    throw new TokenglassError('TEMPLATE_MISSING', `the decision model has no ${TEMPLATE_KEY}`);
  const temperatures = temperaturesOf(values, `${prefix}temperature.`);
  const hasRatings = (question: Question) => type.ratings > 0 && question.type === 'noul';
  /** The options as the prompt lists them first. A list of this package has yes first. */
  const firstOrder = ({ type: kind, options }: Question) =>
    kind === 'noul' && !type.yesFirst ? [1, 0] : inOrder(options.length);

  /** The labels that the options of an order get. */
  async function labelsOf(question: Question, order: readonly number[]): Promise<PromptLabel[]> {
    if (name === 'lfm2-d1') return d1Labels(labels, question);
    const n = order.length;
    if (n > type.maxOptions)
      throw new LabelsMissing(`the model answers at most ${type.maxOptions} options, not ${n}`);
    const wanted = type.needsAll ? type.maxOptions : n;
    return oneTokenEach(order, await labels.first(wanted, type.labels));
  }

  async function variables(question: Question, order: readonly number[]) {
    const shownLabels = type.showsLabels ? await labelsOf(question, order) : undefined;
    return templateInput(state, question, order, shownLabels);
  }

  return {
    hasRatings,
    temperature: ({ type: kind, options }) =>
      temperature ??
      temperatures.get(`${kind}.${type.bucket(options.length)}`) ??
      temperatures.get(kind) ??
      1,
    async prompts(question, all) {
      const order = firstOrder(question);
      const both = type.bothOrders && question.type === 'choice';
      const orders = both ? [order, [...order].reverse()] : [order];
      const questions = async () =>
        Promise.all(
          all.map(async (one) => {
            const { id, type: kind, instructions, options } = await variables(one, firstOrder(one));
            return { id, type: kind, instructions, options };
          }),
        );
      return Promise.all(
        orders.map(async (shownOrder) => {
          const input = {
            ...(await variables(question, shownOrder)),
            ...(type.listsQuestions && { questions: await questions() }),
          };
          const sorted = Object.entries(input).map(([key, value]) => [key, sortKeys(value)]);
          const text = await render(template, type.sortsKeys ? Object.fromEntries(sorted) : input);
          const ids = await model.tokenize(text, { add_special: false, parse_special: true });
          // ratings stand at the first labels, whatever the prompt's options are called
          const read = hasRatings(question) ? inOrder(type.ratings) : shownOrder;
          return { ids, labels: await labelsOf(question, read) };
        }),
      );
    },
  };
}
