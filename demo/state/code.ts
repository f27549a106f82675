/** The text and the settings of the page as code that continues the text in the same way. */
import type { ChatMessage, Model } from 'tokenglass';
import type { Chain, TokenBias } from './chain.js';
import { changedValues, defaultChain, settings } from './chain.js';
import type { OutputFormat } from './constraint.js';
import { sameIds } from './engine.js';
import { BUILT_IN } from './models.js';
import type { Store } from './store.js';

export const MAX_TOKENS = 20; // that the code generates

/** What the code is made from. */
export interface CodeState {
  /** What loadModel gets. */
  readonly source: string;
  /** True when the source is the name of a file that the user opened. */
  readonly isFile: boolean;
  readonly text: string;
  /** The tokens that the model sees, when they are not those that the text gives. */
  readonly ids: readonly number[] | undefined;
  /** The conversation; undefined for a text. */
  readonly chat: readonly ChatMessage[] | undefined;
  readonly chain: Chain;
  readonly seed: number;
  /** The number of the window of a text that is longer than the model's context, else 0. */
  readonly window: number;
  readonly format: OutputFormat;
}

/** One form of the code. code: '' when the form cannot say it; notes: what is to be known, and what
 *  the form cannot say. */
export interface CodeForm {
  readonly id: string;
  readonly title: string;
  readonly code: string;
  readonly notes: readonly string[];
}

/** Reads the state for the code. source: what the page's model was loaded from. */
export function codeState(
  store: Store,
  source: { name: string; isFile: boolean },
): Promise<CodeState> {
  return store.exclusive(async () => {
    const { document, engine, sampler } = store;
    const model: Model = engine.model.value!;
    const format = sampler.constraint.format.value;
    const chat = document.chat.value;
    // a format rules everything that the code generates, so the code starts where the format does
    const all = document.tokensTo(format || chat ? document.typedLength.value : undefined);
    const { ids, number } = engine.windows.at(all, all.length);
    const text = await model.detokenize(ids);
    const isPlain = number === 0 && sameIds(await model.tokenize(text), ids);
    return {
      source: source.name,
      isFile: source.isFile,
      text,
      ids: isPlain || chat ? undefined : ids,
      chat,
      chain: sampler.chain.value,
      seed: sampler.seed.value,
      window: number,
      format,
    };
  });
}

/** The options of a chain that are not the package's defaults. */
export function changedOptions(
  chain: Chain,
): Record<string, number | readonly string[] | TokenBias> {
  const on = chain.stages.filter((stage) => stage.on).map(({ name }) => name);
  const usual = defaultChain.stages.map(({ name }) => name);
  const inOrder = usual.filter((name) => on.includes(name));
  // stages that are off have no effect by default, except those that the page starts with
  const complete = defaultChain.stages.every((stage) => !stage.on || on.includes(stage.name));
  const isUsual =
    complete && !on.includes('mirostat') && on.every((name, i) => name === inOrder[i]);
  const values = Object.entries(changedValues(chain)).filter(([name]) =>
    settings.some((setting) => setting.name === name && on.includes(setting.stage)),
  );
  const hasBias = on.includes('logit_bias') && Object.keys(chain.bias).length > 0;
  return {
    ...(Object.fromEntries(values) as Record<string, number>),
    ...(hasBias && { logit_bias: chain.bias }),
    ...(!isUsual && { samplers: on }),
  };
}

/** A text as a JavaScript string. */
const quoted = (text: string) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** A value as JavaScript. */
function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, item]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : quoted(key)}: ${literal(item)}`)
      .join(', ')} }`;
  return String(value);
}

/** An object as JavaScript, one property a line. values: JavaScript. */
const object = (values: Record<string, string>) =>
  `{\n${Object.entries(values)
    .map(([key, value]) => `  ${key}: ${value},\n`)
    .join('')}}`;

const literals = (options: object) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, literal(value)]));

/** What is to be known in every form. */
function commonNotes({ source, isFile, window, format, chat }: CodeState): string[] {
  return [
    ...(isFile
      ? [`The page knows the name of your file, not its folder: write the path of ${source}.`]
      : []),
    ...(window > 0
      ? ['The text is longer than what the model sees: the code has the end that the model sees.']
      : []),
    ...(format && !chat
      ? ['The code starts at the end of the typed text, because the format rules the whole answer.']
      : []),
    ...(chat ? ['The code starts at the beginning of the model’s answer.'] : []),
  ];
}

const importLine = "import { loadModel } from 'tokenglass';\n\n";
const loadLine = ({ source, isFile }: CodeState) =>
  `const model = await loadModel(${quoted(isFile ? `./${source}` : source)});\n`;

function javascript(state: CodeState): CodeForm {
  const { text, ids, chat, chain, seed, window, format } = state;
  const grammar =
    format &&
    (format.kind === 'json'
      ? "{ type: 'json' }"
      : `{ type: 'json_schema', schema: ${literal(JSON.parse(format.schema))} }`);
  const options = {
    ...literals({
      max_tokens: MAX_TOKENS,
      ...(window > 0 && { sample_index: window }),
      ...changedOptions(chain),
    }),
    ...(grammar && { grammar: `await model.createGrammar(${grammar})` }),
  };
  const prompt = chat
    ? `const { ids: prompt } = await model.applyChatTemplate(${literal(chat)});\n`
    : `const prompt = ${ids ? literal(ids) : quoted(text)};\n`;
  return {
    id: 'javascript',
    title: 'JavaScript',
    code:
      importLine +
      loadLine(state) +
      prompt +
      `const options = ${object(options)};\n` +
      `const session = model.createSession({ seed: ${seed} });\n` +
      'for await (const { token, text, logprob } of session.generate(prompt, options)) {\n' +
      '  const modelSays = Math.exp(logprob); // the probability before sampling\n' +
      '  console.log(token, JSON.stringify(text), modelSays);\n' +
      '}\n' +
      'await model.dispose();\n',
    notes: [
      ...commonNotes(state),
      ...(ids
        ? ['The prompt is a list of tokens: the text would be split into other tokens.']
        : []),
    ],
  };
}

/** A text as one word of a POSIX shell. */
const shellWord = (text: string) =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function commandLine(state: CodeState): CodeForm {
  const { source, isFile, text, ids, chat, chain, seed, format } = state;
  const flags: [string, string][] = [
    ...(source === BUILT_IN
      ? []
      : ([['model', isFile ? `./${source}` : source]] as [string, string][])),
    ['seed', String(seed)],
    ['max-tokens', String(MAX_TOKENS)],
    ...Object.entries(changedOptions(chain)).map(([name, value]): [string, string] => [
      name.replaceAll('_', '-'),
      String(value), // a list with commas
    ]),
  ];
  const cannot = [
    ...(format ? ['The command line has no output formats.'] : []),
    ...(changedOptions(chain)['logit_bias'] ? ['The command line has no token bias.'] : []),
    ...(ids
      ? ['The command line takes a text, and this text would be split into other tokens.']
      : []),
    ...(chat && (chat.length > 1 || chat[0]?.role !== 'user')
      ? [
          'The command line starts a conversation with one message: it takes no system prompt and no earlier messages.',
        ]
      : []),
  ];
  const prompt = chat ? String(chat[0]?.content) : text;
  const words = [
    'npx tokenglass',
    ...(chat ? ['--chat'] : []),
    // a negative number is no flag
    ...flags.map(
      ([name, value]) => `--${name}${value.startsWith('-') ? '=' : ' '}${shellWord(value)}`,
    ),
    ...(prompt.startsWith('-') ? ['--'] : []),
    shellWord(prompt),
  ];
  return {
    id: 'command-line',
    title: 'Command line',
    code: cannot.length > 0 ? '' : `${words.join(' ')}\n`,
    notes: [...commonNotes(state), ...cannot],
  };
}

/** The options of the sampler that the OpenAI API has, with their names there. */
const OPENAI_NAMES: Record<string, string> = {
  temperature: 'temperature',
  top_p: 'top_p',
  penalty_freq: 'frequency_penalty',
  penalty_present: 'presence_penalty',
  logit_bias: 'logit_bias',
};

function openai(state: CodeState): CodeForm {
  const { text, ids, chat, chain, seed, window, format } = state;
  const changed = Object.entries(changedOptions(chain));
  const own = changed.map(([name]) => name).filter((name) => !OPENAI_NAMES[name]);
  const response_format =
    format &&
    (format.kind === 'json'
      ? { type: 'json_object' }
      : { type: 'json_schema', json_schema: { schema: JSON.parse(format.schema) as unknown } });
  const params = literals({
    ...(chat ? { messages: chat } : { prompt: ids ?? text }),
    seed,
    max_tokens: MAX_TOKENS,
    ...Object.fromEntries(changed.map(([name, value]) => [OPENAI_NAMES[name] ?? name, value])),
    ...(response_format && { response_format }),
  });
  const isBanning = Object.values(changedOptions(chain)['logit_bias'] ?? {}).includes(-Infinity);
  const call = chat ? 'createChatCompletion' : 'createCompletion';
  return {
    id: 'openai',
    title: 'OpenAI shape',
    code:
      importLine +
      loadLine(state) +
      `const { choices } = await model.${call}(${object(params)});\n` +
      `console.log(choices[0].${chat ? 'message.content' : 'text'});\n` +
      'await model.dispose();\n',
    notes: [
      ...commonNotes(state),
      ...(window > 0
        ? [
            `The page draws with the random numbers of sample_index ${window}. This shape has no such option, so its tokens are others.`,
          ]
        : []),
      ...(own.length > 0
        ? [`The OpenAI API does not have these options, tokenglass has: ${own.join(', ')}.`]
        : []),
      ...(isBanning
        ? [
            'JSON cannot hold the -Infinity of logit_bias. OpenAI’s servers take numbers from -100 to 100.',
          ]
        : []),
    ],
  };
}

export const codeForms = (state: CodeState): CodeForm[] => [
  javascript(state),
  commandLine(state),
  openai(state),
];
