/** Logits of every position through the public API: a loaded model and ids come in, rows of n_vocab floats go out; nothing is kept. */

/** ids.length Float32Arrays: row i is what the model expects after ids[0..i]. The cache keeps the prefix, so each token is run once. */
export async function logitRows(model, ids) {
  const session = model.createSession();
  const rows = [];
  try {
    for (let n = 1; n <= ids.length; n++) {
      await session.sync(ids.slice(0, n));
      rows.push(await session.logits());
    }
  } finally {
    await session.dispose();
  }
  return rows;
}
