/** A message to the user, with its details folded. */
import type { Message } from '../format.js';

export function MessageText({ message }: { message: Message }) {
  if (typeof message === 'string') return <>{message}</>;
  return (
    <>
      {message.text}{' '}
      <details class="message-details">
        <summary>details</summary> <code>{message.details}</code>
      </details>
    </>
  );
}
