/** The conversation with a model: its messages and the form that sends one. */
import { useSignal } from '@preact/signals';
import type { ChatMessage } from 'tokenglass';
import type { Store } from '../state/store.js';

const ROLE_NAMES: Record<string, string> = {
  system: 'System prompt',
  user: 'You',
  assistant: 'Model',
};

export function Conversation({ store }: { store: Store }) {
  const { document, runner } = store;
  const message = useSignal('');
  const system = useSignal('');
  const chat = document.chat.value;

  const reply = document.tokens.value
    .slice(document.typedLength.value)
    .map(({ text }) => text)
    .join('');
  const send = () => {
    if (message.value.trim() === '') return;
    const before: ChatMessage[] = chat
      ? [...chat, ...(reply ? [{ role: 'assistant' as const, content: reply }] : [])]
      : system.value.trim()
        ? [{ role: 'system', content: system.value }]
        : [];
    const content = message.value;
    message.value = '';
    void store.document
      .setChat([...before, { role: 'user', content }])
      .then(() => store.runner.run());
  };
  return (
    <div class="chat">
      {chat?.map(({ role, content }, i) => (
        <p key={i} class={role} data-testid="message">
          <b>{ROLE_NAMES[role] ?? role}</b> {content as string}
        </p>
      ))}
      {chat && reply && (
        <p class="assistant" data-testid="message">
          <b>{ROLE_NAMES['assistant']}</b> {reply}
        </p>
      )}
      {!chat && (
        <label class="field">
          <span>System prompt (not every model supports one)</span>
          <input
            data-testid="instructions"
            type="text"
            value={system.value}
            onInput={(event) => (system.value = event.currentTarget.value)}
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
          <span>Message</span>
          <input
            data-testid="say"
            type="text"
            value={message.value}
            onInput={(event) => (message.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main" data-testid="send" aria-disabled={runner.running.value}>
          Send
        </button>
      </form>
    </div>
  );
}
