// Templates give Jinja2's own text: hundreds of small templates, and the templates of model
// families with conversations, beside what Python's jinja2 gives. What jinja2 gave is recorded in
// tests/templates/recorded; where Python and jinja2 are installed, the record is compared, too.
// TOKENGLASS_RECORD=1 records again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, CONVERSATIONS, FAMILIES, VARIABLES } from '../templates/lists.mjs';
import {
  compareAll,
  findPython,
  loadRenderer,
  readRecord,
  record,
  renderWithJinja2,
} from '../support/templates.mjs';

const render = await loadRenderer();
const { python, version, reason } = findPython();
const withPython = python ? {} : { skip: reason };

const SUITES = {
  cases: Object.entries(CASES).flatMap(([group, templates]) =>
    templates.map((template) => ({
      key: `${group}: ${template}`,
      template,
      variables: VARIABLES,
    })),
  ),
  families: Object.entries(FAMILIES).flatMap(([family, template]) =>
    Object.entries(CONVERSATIONS).map(([conversation, input]) => ({
      key: `${family}, ${conversation}`,
      template,
      variables: { tools: null, documents: null, add_generation_prompt: true, ...input },
    })),
  ),
};

/** What changed between the jinja2 of Debian 12 (3.1.2) and that of the record (3.1.6). */
const CHANGED = {
  '3.1.2': [
    'filters: {{ "inf"|int }}',
    'scopes: {% set ns = namespace(a=0, b=0) %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}',
  ],
};

test('the lists are as long as they should be', () => {
  assert.ok(SUITES.cases.length >= 1000, `${SUITES.cases.length} cases`);
  assert.ok(Object.keys(FAMILIES).length >= 30, `${Object.keys(FAMILIES).length} families`);
  assert.ok(Object.keys(CONVERSATIONS).length >= 10);
  for (const [name, cases] of Object.entries(SUITES))
    assert.equal(new Set(cases.map(({ key }) => key)).size, cases.length, `${name}: a case twice`);
});

for (const [name, cases] of Object.entries(SUITES)) {
  if (process.env.TOKENGLASS_RECORD) record(name, python, cases);

  test(`${name}: our text is the recorded text of jinja2`, (t) => {
    const answers = readRecord(name);
    const missing = cases.filter(({ key }) => !answers[key]).map(({ key }) => key);
    assert.deepEqual(missing, [], 'not recorded');
    const { counts, differences } = compareAll(render, cases, ({ key }) => answers[key]);
    t.diagnostic(JSON.stringify(counts));
    assert.equal(differences.length, 0, differences.join('\n'));
    assert.ok(counts.refused < cases.length / 25, `${counts.refused} refused`);
  });

  test(`${name}: the record is what jinja2 gives here`, withPython, (t) => {
    t.diagnostic(`jinja2 ${version}`);
    const answers = readRecord(name);
    const now = renderWithJinja2(python, cases);
    const newer = CHANGED[version] ?? [];
    const changed = cases.filter(({ key }, i) => {
      if (newer.includes(key)) return false;
      const { text, error, unstable } = answers[key];
      return (
        !unstable &&
        (text !== now[i].text || (error === undefined) !== (now[i].error === undefined))
      );
    });
    assert.deepEqual(
      changed.map(({ key }) => key),
      [],
    );
  });
}
