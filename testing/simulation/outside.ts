// Notices when a program under test takes time, randomness or I/O from the host instead of from what it is given: such a run
// could not be repeated; and when it leaves a rejected promise unheard, which ends a process of its own. Invariant: the host's functions are as they were once the last guard is gone, and work for everybody but the
// programs under test all the while.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire, syncBuiltinESMExports } from 'node:module';

/** Whose code is watched. */
export interface Watched {
  /** It used something of the host's: what, what to take instead, and where from (`file:line`). */
  used(use: HostUse): void;
  /** A promise of it was rejected, and nobody listens. */
  unheard(error: unknown): void;
}

/** One use of the host. */
export interface HostUse {
  readonly what: string;
  readonly instead: string;
  readonly stack: string;
}

/** A function of the host, where it hangs, and what programs are to take instead. */
interface HostFunction {
  readonly holder: object;
  readonly name: string;
  readonly what: string;
  readonly instead: string;
}

const CLOCK = 'the clock that it is given: clock.now()';
const TIMERS =
  'the clock that it is given: clock.sleep(ms) or clock.timer(ms, fn), or answer requeueAfter(ms)';
const RANDOM = 'the random that it is given: random.next() or random.uuid()';
const NOTHING = 'what the cluster has: a simulated program has nothing but its client';

const watched = new AsyncLocalStorage<Watched>();
const require = createRequire(import.meta.url);

/** Runs a function, and everything that comes of it, as code that is watched. */
export function within<T>(who: Watched, fn: () => T): T {
  return watched.run(who, fn);
}

/** Where functions of the host hang, how a person names that place, and which of them are looked out for. */
function hostFunctions(): readonly HostFunction[] {
  const all: readonly [holder: object, about: string, names: string, instead: string][] = [
    [performance, 'performance.', 'now', CLOCK],
    [Math, 'Math.', 'random', RANDOM],
    [globalThis, '', 'setTimeout setInterval setImmediate', TIMERS],
    [AbortSignal, 'AbortSignal.', 'timeout', TIMERS],
    [globalThis, '', 'fetch', NOTHING],
    [globalThis.crypto, 'crypto.', 'randomUUID getRandomValues', RANDOM],
    [builtin('crypto'), 'node:crypto ', 'randomUUID randomBytes randomInt', RANDOM],
    [builtin('timers/promises'), 'node:timers/promises ', 'setTimeout setImmediate', TIMERS],
    [builtin('fs/promises'), 'node:fs/promises ', 'readFile writeFile open readdir stat', NOTHING],
    [builtin('fs'), 'node:fs ', 'readFile writeFile', NOTHING],
    [builtin('http'), 'node:http ', 'request get', NOTHING],
    [builtin('https'), 'node:https ', 'request get', NOTHING],
    [builtin('net'), 'node:net ', 'connect createConnection', NOTHING],
  ];
  return all.flatMap(([holder, about, names, instead]) =>
    names.split(' ').map((name) => ({ holder, name, what: `${about}${name}`, instead })),
  );
}

const builtin = (name: string): object => require(`node:${name}`) as object;

let guards = 0;
let restore: (() => void) | undefined;

/** Watches while `body` runs. May be nested and run side by side: the host's functions are put back after the last. */
export async function guarded<T>(body: () => Promise<T>): Promise<T> {
  if (guards++ === 0) restore = intercept();
  try {
    return await body();
  } finally {
    if (--guards === 0) restore?.();
  }
}

/** Puts a look-out before each function of the host; answers the way to take them all away. */
function intercept(): () => void {
  const functions = hostFunctions().map((each) => interceptOne(each));
  const undo = [...functions, interceptDate(), interceptRejections()];
  syncBuiltinESMExports();
  return () => {
    for (const each of undo) each();
    syncBuiltinESMExports();
  };
}

function interceptOne({ holder, name, what, instead }: HostFunction): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, name);
  const original = (holder as Record<string, unknown>)[name] as (...all: unknown[]) => unknown;
  const lookOut = new Proxy(original, {
    apply(target, self, all: unknown[]) {
      tell(what, instead);
      return Reflect.apply(target, self, all);
    },
  });
  Object.defineProperty(holder, name, {
    value: lookOut,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? true,
  });
  return () => {
    if (before) Object.defineProperty(holder, name, before);
    else delete (holder as Record<string, unknown>)[name];
  };
}

/** `Date` counts only where it asks for the present, without a moment of its own. */
function interceptDate(): () => void {
  const original = globalThis.Date;
  const now = new Proxy(original.now, {
    apply(target, self, all: []) {
      tell('Date.now', CLOCK);
      return Reflect.apply(target, self, all);
    },
  });
  globalThis.Date = new Proxy(original, {
    construct(target, all, made) {
      if (all.length === 0) tell('new Date', CLOCK);
      return Reflect.construct(target, all, made) as object;
    },
    apply(target, self, all: []) {
      tell('Date', CLOCK);
      return Reflect.apply(target, self, all);
    },
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name, target) as unknown)),
  });
  return () => {
    globalThis.Date = original;
  };
}

/** Takes the rejections of watched code to whoever watches; all others go where they went before. */
function interceptRejections(): () => void {
  const before = process.listeners('unhandledRejection');
  const listen = (error: unknown, promise: Promise<unknown>) => {
    const who = watched.getStore();
    if (who) who.unheard(error);
    else if (before.length === 0) throw error;
    else for (const listener of before) listener(error, promise);
  };
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', listen);
  return () => {
    process.off('unhandledRejection', listen);
    for (const listener of before) process.on('unhandledRejection', listener);
  };
}

function tell(what: string, instead: string): void {
  const who = watched.getStore();
  if (!who) return;
  const frames = (new Error(what).stack ?? '').split('\n').slice(1);
  const stack = frames.filter((line) => !line.includes('outside.ts') && !line.includes('(node:'));
  who.used({ what, instead, stack: stack.slice(0, 8).join('\n') });
}
