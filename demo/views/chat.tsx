/** A conversation, for models that have a template, and the form that the text must have. In: the store. Out: the part of the text's panel above the text. */
import { useSignal } from '@preact/signals';
import type { ChatMessage } from 'tokenglass';
import type { Store } from '../state/store.js';
import { isControl } from '../format.js';
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

/** Anything, JSON, or JSON of a schema. */
export function Form({ store }: { store: Store }) {
  const { form, problem, left } = store.constraint;
  const schema = useSignal(SCHEMA);
  const kind = form.value?.kind ?? 'any';
  const wanted = useSignal<string>(kind);
  const choose = (value: string) => {
    wanted.value = value;
    if (value === 'schema') void store.setForm({ kind: 'schema', schema: schema.value });
    else void store.setForm(value === 'json' ? { kind: 'json' } : undefined);
  };
  return (
    <div class="form">
      <label>
        <span>the text must be</span>{' '}
        <select
          data-testid="form"
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
      {(problem.value || left.value) && (
        <p class="problem" role="alert" data-testid="form-problem">
          {problem.value || 'The text so far is not of this form: it goes on freely.'}
        </p>
      )}
    </div>
  );
}

const WHO: Record<string, string> = { system: 'instructions', user: 'you', assistant: 'the model' };

export function Chat({ store }: { store: Store }) {
  const { model, tree, shown, running } = store;
  const words = useSignal('');
  const rules = useSignal('');
  const root = tree.value.root;
  const chat = root.chat;
  const open = useSignal(false);
  if (!model.value?.info.chat_template) return null;

  const reply = shown.value.made
    .filter((token) => !isControl(token))
    .map(({ text }) => text)
    .join('');
  const send = () => {
    if (words.value.trim() === '') return;
    const before: ChatMessage[] = chat
      ? [...chat, ...(reply ? [{ role: 'assistant' as const, content: reply }] : [])]
      : rules.value.trim()
        ? [{ role: 'system', content: rules.value }]
        : [];
    const asked = words.value;
    words.value = '';
    void store.setChat([...before, { role: 'user', content: asked }]).then(() => store.run());
  };
  const chatting = open.value || chat !== undefined;
  return (
    <>
      <div class="modes" role="group" aria-label="what the text is">
        <Button
          id="mode-text"
          pressed={!chatting}
          press={() => {
            open.value = false;
            if (chat) store.setPrompt('');
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
              <b>{WHO[message.role] ?? message.role}</b> {message.content as string}
            </p>
          ))}
          {chat && reply && (
            <p class="assistant" data-testid="message">
              <b>{WHO['assistant']}</b> {reply}
            </p>
          )}
          {!chat && (
            <label class="field">
              <span>instructions (some templates refuse them)</span>
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
            <button type="submit" class="main" data-testid="send" aria-disabled={running.value}>
              Send
            </button>
          </form>
        </div>
      )}
    </>
  );
}
