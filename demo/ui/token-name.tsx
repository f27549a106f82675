/** A token's text, made visible. */
import { isControl, name } from '../format.js';

/** A token's name; a control token's is in a frame. */
export function TokenName({ token }: { token: { text: string; bytes: Uint8Array } }) {
  return (
    <span class="piece">
      {isControl(token) ? <span class="control">{name(token)}</span> : name(token)}
    </span>
  );
}
