/** Two parts of the text panel: the conversation, for models with a chat template, and the output
 *  format. */
import { useSignal } from '@preact/signals';
import type { ChatMessage } from 'tokenglass';
import type { Store } from '../state/store.js';
import { Button } from '../ui/button.js';

const SCHEMA = `{
  "type": "object",
  "properties": {
    "name": { "type": "string", "maxLength": 12 },
    "age": { "type": "integer", "minimum": 0, "maximum": 120 }
  },
  "required": ["name", "age"],
  "additionalProperties": false
}`;

/** Chooses the output format: any text, JSON, or JSON of a schema. */
export function OutputFormatField({ store }: { store: Store }) {
  const { format, problem, violated } = store.sampler.constraint;
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
        <span>the text must be</span>{' '}
        <select
          data-testid="output-format"
          value={wanted.value}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          <option value="any">anything</option>
          <option value="json">JSON</option>
          <option value="schema">JSON of a schema</option>
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
      {(problem.value || violated.value) && (
        <p class="problem" role="alert" data-testid="output-format-problem">
          {problem.value || 'The text does not follow this format, so nothing restricts it now.'}
        </p>
      )}
    </div>
  );
}

const ROLE_NAMES: Record<string, string> = {
  system: 'instructions',
  user: 'you',
  assistant: 'the model',
};

export function Chat({ store }: { store: Store }) {
  const { document, engine, runner } = store;
  const words = useSignal('');
  const rules = useSignal('');
  const chat = document.chat.value;
  const open = useSignal(false);
  if (!engine.model.value?.info.chat_template) return null;

  const reply = document.tokens.value
    .slice(document.typedLength.value)
    .map(({ text }) => text)
    .join('');
  const send = () => {
    if (words.value.trim() === '') return;
    const before: ChatMessage[] = chat
      ? [...chat, ...(reply ? [{ role: 'assistant' as const, content: reply }] : [])]
      : rules.value.trim()
        ? [{ role: 'system', content: rules.value }]
        : [];
    const content = words.value;
    words.value = '';
    void store.document
      .setChat([...before, { role: 'user', content }])
      .then(() => store.runner.run());
  };
  const chatting = open.value || chat !== undefined;
  return (
    <>
      <div class="modes" role="group" aria-label="kind of text">
        <Button
          id="mode-text"
          pressed={!chatting}
          press={() => {
            open.value = false;
            if (chat) store.document.setText('');
          }}
        >
          Text
        </Button>
        <Button id="mode-chat" pressed={chatting} press={() => (open.value = true)}>
          Chat
        </Button>
      </div>
      {chatting && (
        <div class="chat">
          {chat?.map((message, i) => (
            <p key={i} class={message.role} data-testid="message">
              <b>{ROLE_NAMES[message.role] ?? message.role}</b> {message.content as string}
            </p>
          ))}
          {chat && reply && (
            <p class="assistant" data-testid="message">
              <b>{ROLE_NAMES['assistant']}</b> {reply}
            </p>
          )}
          {!chat && (
            <label class="field">
              <span>instructions (some chat templates do not allow them)</span>
              <input
                data-testid="instructions"
                type="text"
                value={rules.value}
                onInput={(event) => (rules.value = event.currentTarget.value)}
              />
            </label>
          )}
          <form
            class="say"
            onSubmit={(event) => {
              event.preventDefault();
              send();
            }}
          >
            <label class="field">
              <span>say</span>
              <input
                data-testid="say"
                type="text"
                value={words.value}
                onInput={(event) => (words.value = event.currentTarget.value)}
              />
            </label>
            <button
              type="submit"
              class="main"
              data-testid="send"
              aria-disabled={runner.running.value}
            >
              Send
            </button>
          </form>
        </div>
      )}
    </>
  );
}
