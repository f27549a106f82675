/** What the document, the inspector and the runner share. */
import type { Engine } from './engine.js';
import type { Queue } from './queue.js';
import type { Sampler } from './sampler.js';
import type { Status } from './status.js';

export interface Services {
  readonly status: Status;
  readonly queue: Queue;
  readonly engine: Engine;
  readonly sampler: Sampler;
}
