/** Whether the page can generate the next token, whether a run goes on, and the messages on the
 *  page. */
import { signal } from '@preact/signals';
import type { Message } from '../format.js';
import { wordsOf } from './messages.js';

/** 'empty': the text has no token, and the model has no token that begins a text. 'ended': the text
 *  ends with an end token. 'full': the context is full. */
export type Phase = 'loading' | 'ready' | 'empty' | 'ended' | 'full' | 'failed';

export class Status {
  readonly phase = signal<Phase>('loading');
  /** True while a run should go on. The token that is in progress is still generated after
   *  false. */
  readonly running = signal(false);
  /** True from the first run on. */
  readonly hasRun = signal(false);
  /** Share of the built-in model's file that has arrived, 0 to 1. */
  readonly loaded = signal(0);
  /** The error that stopped the page; '' when there is none. */
  readonly failure = signal<Message>('');
  /** A message that stops nothing; '' when there is none. */
  readonly notice = signal<Message>('');

  startRun(): void {
    this.running.value = this.hasRun.value = true;
  }

  fail(error: unknown): void {
    this.failure.value = wordsOf(error);
    this.phase.value = 'failed';
    this.running.value = false;
  }
}
