// What the collector of garbage leaves: how much there is, and whether a thing is still there once nobody who uses it holds it any more.
// Invariant: the collector is the engine's own; a thing that anything else holds is found there.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
/** Collects all there is, at once: none of it falls into what is measured afterwards. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of this process's heap that somebody holds. */
export function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Is what `make` gives kept by somebody after it was used here? */
export async function isKept(make: () => object): Promise<boolean> {
  const seen = new WeakRef(make());
  await setImmediate();
  collectGarbage();
  return seen.deref() !== undefined;
}
