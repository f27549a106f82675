// Measures how far tokenglass and llama.cpp are from float64 forward passes over the same weights:
// every architecture in the most common weight types, `llama` in all types.
// `npm run parity` prints a table; the exit code is 1 when a limit is exceeded. Arguments: names of
// cases and --types A,B restrict the run, --seeds N (default 8) sets the number of random models
// for each quantized type, --write writes tests/measurements.md. parity.test.mjs measures a sample
// with the same function.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from '../../dist/node.js';
import { caseNames, tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { TYPES } from '../support/types.mjs';
import { compareRuns } from '../support/measures.mjs';
import { commandLine, writeSection } from '../support/measurements.mjs';
import { logitRows } from '../support/rows.mjs';
import { openPeer, preparePeer } from './llamacpp.mjs';
import { referenceLogits } from './reference.mjs';

/**
 * Float weights: the limit of the largest difference to the truth, as a share of the logits'
 * standard deviation.
 */
export const FLOAT_LIMIT = 1e-4;
/** Quantized weights: the limit of our RMS error divided by llama.cpp's. */
export const RATIO_LIMIT = 1.02;
const FLOATS = ['F32', 'F16', 'BF16'];
const USUAL = ['F32', 'Q8_0', 'Q4_0', 'Q4_K', 'Q6_K']; // measured for every architecture
export const POSITIONS = { F32: 256, coded: 48 };
const N_CTX = 512; // larger than the cases' original contexts, for both engines

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The standard deviation of all logits. */
function spread(rows) {
  const all = rows.flatMap((row) => Array.from(row));
  const middle = mean(all);
  return Math.sqrt(mean(all.map((x) => (x - middle) ** 2)));
}

/**
 * Measures one case with one type: our errors and llama.cpp's, as means over the seeds. Without
 * llama.cpp's errors (it cannot run the file, or peer: false), `why` may say why.
 * @returns {Promise<{ ours: object, theirs?: object, why?: string, missed: boolean }>}
 *   ours and theirs: { rms, max, kl }; rms and max are shares of the logits' standard deviation
 */
export async function measure(
  name,
  type,
  {
    seeds,
    folder,
    peer: asked = true,
    positions = FLOATS.includes(type) ? POSITIONS.F32 : POSITIONS.coded,
  },
) {
  const runs = { ours: [], theirs: [] };
  let why;
  for (let seed = 1; seed <= seeds; seed++) {
    const bytes = writeGguf(tinyModel(name, { type, seed }));
    const path = join(folder, 'model.gguf');
    writeFileSync(path, bytes);
    const ids = Array.from({ length: positions }, (_, i) => 3 + ((i * 37 + 5 + seed) % 317));
    const truth = referenceLogits(Buffer.from(bytes), ids, N_CTX);
    const unit = spread(truth);
    const compare = (rows) => {
      const { rms, maxDiff, meanKl } = compareRuns(truth, rows);
      return { rms: rms / unit, max: maxDiff / unit, kl: meanKl };
    };
    const model = await loadModel(path, {
      worker: false,
      n_ctx: N_CTX,
      cache_type_k: 'f32',
      cache_type_v: 'f32',
    });
    runs.ours.push(compare(await logitRows(model, ids)));
    await model.dispose();
    if (why || !asked) continue;
    try {
      const peer = await openPeer(path);
      try {
        runs.theirs.push(
          compare(
            (await peer.logits(ids, false, 'F32', positions, N_CTX)).map(({ logits }) => logits),
          ),
        );
      } finally {
        await peer.close();
      }
    } catch (error) {
      why = error.message.split('\n')[0].slice(0, 100);
    }
  }
  const means = (list) =>
    list.length
      ? {
          rms: mean(list.map((r) => r.rms)),
          max: Math.max(...list.map((r) => r.max)),
          kl: mean(list.map((r) => r.kl)),
        }
      : undefined;
  const ours = means(runs.ours);
  const theirs = means(runs.theirs);
  const ratio = theirs && ours.rms / theirs.rms;
  // written so that NaN exceeds the limit
  const met = FLOATS.includes(type) ? ours.max <= FLOAT_LIMIT : ratio <= RATIO_LIMIT;
  return { ours, theirs, ratio, why, missed: !met };
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { types: { type: 'string' }, seeds: { type: 'string' }, write: { type: 'boolean' } },
    allowPositionals: true,
  });
  const reason = preparePeer();
  if (reason) throw new Error(reason);
  const folder = mkdtempSync(join(tmpdir(), 'tokenglass-parity-'));
  const e = (x) => x.toExponential(1);
  let missed = 0;
  let table = '';
  const line = (text) => {
    table += `${text}\n`;
    console.log(text);
  };
  line(
    '| architecture | type | ours: RMS error | greatest | mean KL | llama.cpp: RMS error | mean KL | ours / llama.cpp |',
  );
  line('|---|---|---|---|---|---|---|---|');
  try {
    for (const name of positionals.length ? positionals : caseNames)
      for (const type of values.types?.split(',') ??
        (name === 'llama' ? Object.keys(TYPES) : USUAL)) {
        const {
          ours,
          theirs,
          ratio,
          why,
          missed: bad,
        } = await measure(name, type, {
          seeds: FLOATS.includes(type) ? 1 : Number(values.seeds ?? 8),
          folder,
        });
        const peer = theirs
          ? `${e(theirs.rms)} | ${e(theirs.kl)} | ${ratio.toFixed(3)}`
          : `${why} | |`;
        line(
          `| ${name} | ${type} | ${e(ours.rms)} | ${e(ours.max)} | ${e(ours.kl)} | ${peer}${bad ? ' **missed**' : ''} |`,
        );
        missed += bad;
      }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(missed ? `${missed} bars missed` : 'all bars met');
  if (values.write)
    writeSection(
      `parity${positionals.length ? `: ${positionals.join(', ')}` : ''}`,
      commandLine('parity'),
      table,
    );
  process.exitCode = missed ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
