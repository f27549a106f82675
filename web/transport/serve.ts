/** The worker's side: in, requests; out, answers. It owns one core. */
import { Core } from '../engine/core.js';
import { fromWire, toWire } from '../types/errors.js';
import type { Opener } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import { join } from '../engine/thread.js';
import type { ThreadAnswer, ThreadStart } from '../engine/thread.js';
import { invoke } from './protocol.js';
import type { Answer, Call, Request } from './protocol.js';

/** Serves one core over the port of a worker, or spends the worker's life as a thread of another's; returns the function that takes each message. */
export function serve(
  opener: Opener,
  post: (answer: Answer | ThreadAnswer) => void,
): (request: Request | ThreadStart) => void {
  const core = new Core(opener);
  const running = new Map<number, AbortController>();
  let waiting:
    { resolve(bytes: Uint8Array | undefined): void; reject(error: Error): void } | undefined;

  const pull = () =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      waiting = { resolve, reject };
      post({ kind: 'pull' });
    });

  async function run(call: Call, signal: AbortSignal): Promise<unknown> {
    if (call.method !== 'load') return invoke(core, call.method, call.args, signal);
    const { source, options } = call;
    const stopped = () => waiting?.resolve(undefined); // the load hears the abort as soon as it has its turn
    signal.addEventListener('abort', stopped);
    const spec: SourceSpec =
      source.kind === 'remote'
        ? { kind: 'stream', total: source.total, pull, cancel: async () => undefined }
        : source;
    return core.load(spec, options, (progress) => post({ kind: 'progress', progress }), signal);
  }

  return (request) => {
    switch (request.kind) {
      case 'thread':
        return join(request, post);
      case 'call': {
        const { id, call } = request;
        const controller = new AbortController();
        running.set(id, controller);
        run(call, controller.signal)
          .then(
            (value) => post({ kind: 'result', id, value }),
            (error: unknown) => post({ kind: 'error', id, error: toWire(error) }),
          )
          .finally(() => running.delete(id));
        return;
      }
      case 'abort':
        running.get(request.id)?.abort();
        return;
      case 'chunk':
        waiting?.resolve(request.bytes);
        return;
      case 'broken':
        waiting?.reject(fromWire(request.error));
    }
  };
}
