// Shared by tests of the ledger: reads the table that the page shows, and computes the same with
// the package in the same browser.

/**
 * What a program computes after these tokens: for each number of stages of the chain, the
 * probabilities of the tokens; and the stages and the draw of the whole chain.
 */
export const choiceAt = async ({ ids, tokens, options }) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel('/storybook-q8_0.gguf');
  const session = model.createSession();
  await session.sync(ids);
  const columns = [];
  const { logit_bias: _, ...others } = options; // a list runs unless it is left out
  for (let n = 0; n <= options.samplers.length; n++) {
    const { candidates } = await session.candidates({
      ...(n === 0 ? others : options),
      samplers: options.samplers.slice(0, n),
      top_n: model.info.n_vocab,
    });
    const byToken = new Map(candidates.map((candidate) => [candidate.token, candidate.p_final]));
    columns.push(tokens.map((token) => byToken.get(token)));
  }
  const { stages, draw } = await session.candidates({ ...options, top_n: 0 });
  await model.dispose();
  return {
    columns,
    draw,
    stages: stages.map(({ name, kept, removed }) => ({ name, kept, removed })),
  };
};

/** The token of a byte that is no character by itself. */
export const byteToken = async (byte) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel('/storybook-q8_0.gguf');
  const session = model.createSession();
  await session.sync('A');
  const { candidates } = await session.candidates({ top_n: model.info.n_vocab });
  await model.dispose();
  return candidates.find(({ bytes }) => bytes.length === 1 && bytes[0] === byte).token;
};

/** The table as the page shows it. */
export const readLedger = () => {
  const number = (text) => (text === undefined ? undefined : Number(text));
  const cellsOf = (row) =>
    Object.fromEntries(
      [...row.querySelectorAll('[data-testid="cell"]')].map(({ dataset }) => [
        dataset.stage,
        Number(dataset.p),
      ]),
    );
  const all = (id) => [...document.querySelectorAll(`.ledger [data-testid="${id}"]`)];
  return {
    stages: [...document.querySelectorAll('.ledger th[data-testid^="stage-"]')].map(
      ({ dataset }) => ({
        name: dataset.testid.replace('stage-', ''),
        kept: number(dataset.kept),
        removed: number(dataset.removed),
      }),
    ),
    rows: all('candidate').map((row) => ({
      token: Number(row.dataset.token),
      p: Number(row.dataset.p),
      p_final: Number(row.dataset.p_final),
      removed_by: row.dataset.removedBy,
      next: row.classList.contains('next'),
      mark: row.querySelector('.mark-next')?.textContent ?? '',
      signs: [...row.querySelectorAll('td.cut')].map((cell) => [
        cell.dataset.stage,
        cell.textContent,
        getComputedStyle(cell.firstElementChild).backgroundImage !== 'none',
      ]),
      cells: cellsOf(row),
    })),
    groups: [...all('group'), ...all('groups-folded')].map((row) => ({
      removed_by: row.dataset.removedBy,
      n: number(row.dataset.n),
      reason: row.querySelector('.cut')?.textContent,
      cells: cellsOf(row),
    })),
    sentence: document.querySelector('[data-testid="draw-sentence"]')?.textContent,
  };
};
