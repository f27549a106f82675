/** Parts of the page that are loaded when they are opened, so that the first view stays small. */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from './button.js';

let n_retries = 0;

/** Imports a module again. Firefox remembers that a module could not be loaded, but only for this
 *  address, which the error names. */
function importAgain<Module>(load: () => Promise<Module>, error: unknown): Promise<Module> {
  const address = /https?:\/\/\S+\.js/.exec(String(error))?.[0];
  if (!address?.startsWith(location.origin)) return load();
  return import(`${address}?again=${++n_retries}`) as Promise<Module>;
}

/** A component that loads a module and then shows a component of it. When loading fails, it says so
 *  and offers to try again. what: the part's name, for these messages. */
export function lazy<Module, Props extends object>(
  what: string,
  load: () => Promise<Module>,
  pick: (module: Module) => ComponentType<Props>,
): ComponentType<Props> {
  let loaded: { Part: ComponentType<Props> } | undefined; // for the next time
  return function Lazy(props: Props) {
    const part = useSignal(loaded);
    const failure = useSignal<{ error: unknown } | undefined>(undefined);
    const start = () => {
      const failed = failure.value;
      failure.value = undefined;
      (failed ? importAgain(load, failed.error) : load()).then(
        (module) => (part.value = loaded = { Part: pick(module) }),
        (error: unknown) => (failure.value = { error }),
      );
    };
    useEffect(() => {
      if (!part.value) start();
    }, []);
    if (part.value) {
      const { Part } = part.value;
      return <Part {...props} />;
    }
    return failure.value ? (
      <div role="alert" data-testid="lazy-failed">
        <p>
          The browser could not load {what}. Check the connection. If trying again does not help,
          load the page again.
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
