// What observations, edits and lenses give, as plain data, so that Node and pages can be compared.

const TEXT = 'Once upon a time there was a little girl.';

/** The bits of an array of numbers. */
const bits = ({ buffer, byteOffset, byteLength }) => {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let hash = 0xcbf29ce4; // FNV-1a
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${byteLength} ${hash}`;
};

/** Everything that observe() shows, with and without an edit, and a generation under the edit. */
export async function observed(loadModel, options) {
  const model = await loadModel('storybook', options);
  try {
    const all = {
      logits: 'all',
      lens: { top_n: 2 },
      residuals: {},
      attention: {},
      head_outputs: {},
    };
    const edits = [{ type: 'head', layer: 2, heads: [0, 3], scale: 0 }];
    const results = [];
    for (const more of [{}, { edits }]) {
      const seen = await model.observe(TEXT, { ...all, ...more });
      const { logits, lens, residuals, attention, head_outputs } = seen;
      results.push({
        ...{ logits: bits(logits.values), residuals: bits(residuals.values) },
        ...{ attention: bits(attention.values), heads: bits(head_outputs.values) },
        ...{ lens: bits(lens.top.logprobs), tokens: [...lens.top.tokens] },
      });
    }
    const session = model.createSession({ seed: 4, edits });
    const tokens = [];
    const generation = { max_tokens: 12, trace: false };
    for await (const step of session.generate(TEXT, generation)) tokens.push(step.token);
    return { stock: results[0], edited: results[1], tokens };
  } finally {
    await model.dispose();
  }
}

/** Lenses over scores, over observations and over edits. */
export async function lenses(loadModel, options) {
  const model = await loadModel('storybook', options);
  try {
    const pawn = await model.lens.pawn(TEXT);
    const logitLens = await model.lens.logitLens(TEXT, { top_n: 1 });
    const attribute = await model.attribute(TEXT, { target: ' She' });
    return JSON.stringify({ pawn, logitLens, attribute });
  } finally {
    await model.dispose();
  }
}
