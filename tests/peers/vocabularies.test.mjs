// Compares the ids that llama.cpp gives for a vocabulary whose form only its files have: gemma4.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withModel } from '../support/support.mjs';
import { prepare } from '../tokenizers/compare.mjs';
import { texts } from '../tokenizers/texts.mjs';
import { vocabularies } from '../tokenizers/vocabularies.mjs';
import { openPeer, preparePeer } from './llamacpp.mjs';

const reason = preparePeer();
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-vocabularies-'));
after(() => rmSync(folder, { recursive: true }));

test(
  'gemma4: 600 random texts as llama.cpp',
  { skip: reason || false, timeout: 300_000 },
  async () => {
    prepare();
    const { gguf, tokens } = await vocabularies['Gemma 4']();
    const path = join(folder, 'gemma4.gguf');
    writeFileSync(path, gguf);
    const words = tokens.map((token) => token.replaceAll('\u2581', ' '));
    const random = texts({ words, added: [] }, 11);
    const known = new Set([' ', ...tokens]);
    const sample = [];
    while (sample.length < 600) {
      const text = random.next().value[1];
      // llama.cpp drops characters that are no tokens, where SentencePiece has their bytes. It
      // takes </s> for a control token, which </s> is not in this vocabulary.
      if (Array.from(text).every((c) => known.has(c)) && !text.includes('</s>')) sample.push(text);
    }
    const peer = await openPeer(path, { vocabOnly: true });
    const theirs = await peer.tokenize(sample).finally(peer.close);
    await withModel(path, { worker: false, vocab_only: true }, async (model) => {
      for (const [i, text] of sample.entries())
        assert.deepEqual(
          await model.tokenize(text, { add_special: false }),
          [...theirs[i]],
          JSON.stringify(text),
        );
    });
  },
);
