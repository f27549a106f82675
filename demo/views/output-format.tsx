/** Chooses the output format of the text. */
import { useSignal } from '@preact/signals';
import type { Store } from '../state/store.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';

const SCHEMA = `{
  "type": "object",
  "properties": {
    "name": { "type": "string", "maxLength": 12 },
    "age": { "type": "integer", "minimum": 0, "maximum": 120 }
  },
  "required": ["name", "age"],
  "additionalProperties": false
}`;

/** Free text, JSON, or JSON with a schema. */
export function OutputFormatField({ store }: { store: Store }) {
  const { format } = store.sampler.constraint;
  const schema = useSignal(SCHEMA);
  const kind = format.value?.kind ?? 'any';
  const wanted = useSignal<string>(kind);
  const choose = (value: string) => {
    wanted.value = value;
    if (value === 'schema') void store.setOutputFormat({ kind: 'schema', schema: schema.value });
    else void store.setOutputFormat(value === 'json' ? { kind: 'json' } : undefined);
  };
  return (
    <div class="output-format">
      <label>
        <span>Output format</span>{' '}
        <select
          data-testid="output-format"
          value={wanted.value}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          <option value="any">free text</option>
          <option value="json">JSON</option>
          <option value="schema">JSON with a schema</option>
        </select>
      </label>
      {wanted.value === 'schema' && (
        <>
          <label class="field">
            <span>JSON schema</span>
            <textarea
              data-testid="schema"
              rows={6}
              spellcheck={false}
              value={schema.value}
              onInput={(event) => (schema.value = event.currentTarget.value)}
            />
          </label>
          <Button id="apply-schema" press={() => choose('schema')}>
            Use this schema
          </Button>
        </>
      )}
    </div>
  );
}

/** Why the format is not enforced. */
export function FormatProblem({ store }: { store: Store }) {
  const { problem, violated } = store.sampler.constraint;
  if (!problem.value && !violated.value) return null;
  return (
    <div class="problem" role="alert" data-testid="output-format-problem">
      <MessageText
        message={
          problem.value ||
          'The text so far is not valid JSON, so the format is not enforced. Press Start again to start in JSON.'
        }
      />
    </div>
  );
}
