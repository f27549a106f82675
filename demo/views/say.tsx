/** Draws sentences that contain tokens. */
import type { Sentence } from '../state/say.js';
import { TokenName } from '../ui/token-name.js';

export function Say({ sentence }: { sentence: Sentence }) {
  return (
    <>
      {sentence.map((part, i) =>
        typeof part === 'string' ? (
          part.replaceAll(' %', '\u00a0%')
        ) : (
          <b key={i}>
            <TokenName token={part} />
          </b>
        ),
      )}
    </>
  );
}
