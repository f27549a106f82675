/** The worker's side of the protocol: serves one model over the port of a worker. */
import { buffersOf } from '../engine/divergence.js';
import type { Distributions } from '../engine/divergence.js';
import type { StepResult } from '../engine/choices.js';
import { EngineModel } from '../engine/engine-model.js';
import { buffersOfObservation } from '../engine/observing.js';
import { runThread } from '../engine/threads.js';
import type { ThreadAnswer, ThreadStart } from '../engine/threads.js';
import type { WorkerPlatform } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import { fromWire, toWire } from '../types/errors.js';
import type { Observation } from '../types/types.js';
import { invoke } from './protocol.js';
import type { Answer, Call, Request } from './protocol.js';

/** The buffers of a result that move to the model's thread. */
function moved({ method }: Call, value: unknown): ArrayBuffer[] {
  if (method === 'distributions') return buffersOf(value as Distributions);
  return method === 'observe' ? buffersOfObservation(value as Observation) : [];
}

/** The load that waits for bytes of a stream in the other thread. */
interface PendingPull {
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: Error): void;
}

/**
 * Returns the function that takes each message. A worker that gets a ThreadStart becomes a thread
 * of another worker's model instead and takes no more messages.
 */
export function serve(
  platform: WorkerPlatform,
  post: (answer: Answer | ThreadAnswer, transfer?: ArrayBuffer[]) => void,
): (request: Request | ThreadStart) => void {
  const model = new EngineModel(platform);
  const running = new Map<number, AbortController>(); // by id of the call
  let pending: PendingPull | undefined;

  const pull = () =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      pending = { resolve, reject };
      post({ kind: 'pull' });
    });

  async function run(call: Call, signal: AbortSignal): Promise<unknown> {
    if (call.method !== 'load') return invoke(model, call.method, call.args, signal);
    const { source, options } = call;
    // the load sees the abort when its pull is over
    signal.addEventListener('abort', () => pending?.resolve(undefined));
    const spec: SourceSpec =
      source.kind === 'remote'
        ? { kind: 'stream', total: source.total, pull, cancel: async () => undefined }
        : source;
    return model.load(spec, options, (progress) => post({ kind: 'progress', progress }), signal);
  }

  post({ kind: 'ready' });
  return (request) => {
    switch (request.kind) {
      case 'thread':
        return runThread(request, post);
      case 'call': {
        const { id, call } = request;
        const controller = new AbortController();
        running.set(id, controller);
        run(call, controller.signal)
          .then(
            (value) => {
              post({ kind: 'result', id, value }, moved(call, value));
              if (call.method === 'stepAgain')
                model.runAfter(call.args[0] as number, value as StepResult);
            },
            (error: unknown) => post({ kind: 'error', id, error: toWire(error) }),
          )
          .finally(() => running.delete(id));
        return;
      }
      case 'abort':
        running.get(request.id)?.abort();
        return;
      case 'chunk':
        pending?.resolve(request.bytes);
        return;
      case 'broken':
        pending?.reject(fromWire(request.error));
    }
  };
}
