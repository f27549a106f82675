/** Text or conversation: the choice, for models with a chat template. conversation.tsx is the
 *  conversation itself. */
import { useSignal } from '@preact/signals';
import type { Store } from '../state/store.js';
import { Button } from '../ui/button.js';
import { lazy } from '../ui/lazy.js';

const Conversation = lazy(
  'the conversation',
  () => import('./conversation.js'),
  (module) => module.Conversation,
);

export function Chat({ store }: { store: Store }) {
  const { document, engine } = store;
  const chat = document.chat.value;
  const open = useSignal(false);
  if (!engine.model.value?.info.chat_template) return null;
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
      {chatting && <Conversation store={store} />}
    </>
  );
}
