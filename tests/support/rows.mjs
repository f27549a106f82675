// Logits of every position through the public API.

/**
 * Takes a loaded model and ids. Returns ids.length Float32Arrays of n_vocab logits: row i is the
 * prediction after ids[0..i]. The cache keeps the prefix, so each token runs once.
 */
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
