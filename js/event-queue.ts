/**
 * What waits for the iterator of an event stream, and how it holds the stream back.
 */
import type { StabilityError } from './errors.js';

type Result = IteratorResult<MessageEvent, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * A queue between a stream and its iterator.
 *
 * @param close closes the stream: the loop was left.
 */
export function createQueue(close: () => void) {
  let events: MessageEvent[] = [];
  /** Of the next one: to shift a long array moves all the rest. */
  let head = 0;
  const waiting: Array<{ resolve: (result: Result) => void; reject: (error: unknown) => void }> = [];
  let over = false;
  let failure: StabilityError | null = null;
  let room: Promise<void> | undefined;
  let release: (() => void) | undefined;

  function empty(): void {
    events = [];
    head = 0;
    free();
  }

  function free(): void {
    room = undefined;
    release?.();
  }

  function end(drop: boolean, error: StabilityError | null = null): void {
    over = true;
    failure = drop ? null : error;
    if (drop) empty();
    else free();
    for (const { resolve, reject } of waiting.splice(0)) {
      if (failure) reject(failure);
      else resolve(DONE);
      failure = null;
    }
  }

  const iterator: AsyncIterableIterator<MessageEvent> = {
    next() {
      const event = events[head];
      if (event) {
        if (++head === events.length) empty();
        return Promise.resolve({ done: false, value: event });
      }
      if (!over) return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      const error = failure;
      failure = null;
      return error ? Promise.reject(error) : Promise.resolve(DONE);
    },
    return() {
      close();
      return Promise.resolve(DONE);
    },
    throw(error) {
      close();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]: () => iterator,
  };

  return {
    iterator,
    size: (): number => events.length - head,
    push(event: MessageEvent): void {
      const first = waiting.shift();
      if (first) first.resolve({ done: false, value: event });
      else events.push(event);
    },
    /** Settles when all were taken; undefined where none wait. */
    room(): Promise<void> | undefined {
      if (!over && events.length)
        room ??= new Promise((resolve) => {
          release = resolve;
        });
      return room;
    },
    /** Nothing more will come. @param drop what waits too: the stream was closed here. */
    end,
  };
}

/** What `createQueue` returns. */
export type EventQueue = ReturnType<typeof createQueue>;
