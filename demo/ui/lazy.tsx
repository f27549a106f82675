/** Parts of the page that are loaded when they are opened, so that the first view stays small. */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from './button.js';

/** A component that loads another one and then shows it. When loading fails, it says so and offers
 *  to try again. what: the part's name, for these messages. */
export function lazy<Props extends object>(
  what: string,
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: { Part: ComponentType<Props> } | undefined; // for the next time
  return function Lazy(props: Props) {
    const part = useSignal(loaded);
    const failed = useSignal(false);
    const start = () => {
      failed.value = false;
      load().then(
        (Part) => (part.value = loaded = { Part }),
        () => (failed.value = true),
      );
    };
    useEffect(() => {
      if (!part.value) start();
    }, []);
    if (part.value) {
      const { Part } = part.value;
      return <Part {...props} />;
    }
    return failed.value ? (
      <div role="alert" data-testid="lazy-failed">
        <p>
          {what} could not be loaded: the server did not answer. Check the connection. If trying
          again does not help, load the page again.
        </p>
        <Button id="lazy-retry" press={start}>
          Try again
        </Button>
      </div>
    ) : (
      <p class="note" role="status" data-loading>
        Loading {what}…
      </p>
    );
  };
}
