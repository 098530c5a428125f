// Whether something is still there once nobody who uses it holds it any more.
// Invariant: the collector is the engine's own; a thing that anything else holds is found there.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Is what `make` gives kept by somebody after it was used here? */
export async function isKept(make: () => object): Promise<boolean> {
  const seen = new WeakRef(make());
  await setImmediate();
  collectGarbage();
  return seen.deref() !== undefined;
}
