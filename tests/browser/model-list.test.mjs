// The list of suggested models, and what the page says of a model that may not fit.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { bundle } from './page.mjs';

describe('the list of models', () => {
  let list, models;
  before(async () => {
    [list, models] = [await bundle('state/model-list'), await bundle('state/models')];
  });
  const all = () => list.modelGroups.flatMap((group) => group.models);

  test('each entry is one file that the page can ask for, and none is there twice', () => {
    const files = all().map(({ file }) => file);
    assert.equal(new Set(files).size, files.length);
    assert.equal(new Set(all().map(({ name }) => name)).size, files.length);
    for (const model of all()) {
      const { file, size, licence, languages, note, parameters } = model;
      assert.match(file, /^[\w.-]+\/[\w.-]+\/[\w.-]+\.gguf$/);
      const address = models.addressOf(file, 'https://page.example/');
      const [owner, repo, name] = file.split('/');
      assert.equal(address, `${models.HUB}/${owner}/${repo}/resolve/main/${name}`);
      assert.equal(list.pageOf(model), `${models.HUB}/${owner}/${repo}`);
      assert.ok(size > 1e6 && list.memoryFor(size) < 2 ** 31, `${file} fits into WebAssembly`);
      for (const text of [licence, languages, parameters]) assert.ok(text.length > 0, file);
      assert.match(note, /^[A-Z0-9].*\.$/, file);
    }
  });

  test('groups go from small to large, and the sizes from 135 million to 1.7 billion are there', () => {
    const [chat] = list.modelGroups;
    for (const { models, purpose } of list.modelGroups) {
      const sizes = models.map(({ size }) => size);
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => a - b),
        purpose,
      );
    }
    assert.equal(chat.models[0].parameters, '135 M');
    const parameters = all().map((model) => model.parameters);
    for (const size of ['135 M', '362 M', '494 M', '1 B', '1.7 B'])
      assert.ok(parameters.includes(size), size);
  });

  test('what fits, what is tight and what is too large', () => {
    const { fitOf } = list;
    assert.deepEqual(fitOf(145e6, 8), { level: 'fits', text: 'fits' });
    assert.deepEqual(fitOf(1.08e9, 4), {
      level: 'tight',
      text: 'tight: needs about 1.3 GB of memory, this device reports 4 GB',
    });
    assert.deepEqual(fitOf(1.08e9, 1), {
      level: 'no',
      text: 'too large for this device: needs about 1.3 GB of memory, this device reports 1 GB',
    });
    assert.deepEqual(fitOf(1.9e9, 8), {
      level: 'no',
      text: 'too large for this browser: a model can have 2 GB',
    });
    // browsers that do not say how much memory there is
    assert.deepEqual(fitOf(145e6), { level: 'fits', text: 'needs about 230 MB of memory' });
    assert.equal(fitOf(1.2e9).level, 'tight');
    assert.equal(fitOf(1.9e9).level, 'no');
  });
});
