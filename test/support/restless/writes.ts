// Creates, updates and deletes ConfigMaps without end, and knows what each may be now: what was acknowledged, or, after a
// write that was not answered, either of two. Invariant: one write per key at a time, so no order is ever in doubt.
import type { ConfigMap } from '../../../api/generated/types.ts';
import type { Random } from '../../../base/random.ts';
import {
  type Client,
  ConfigMaps,
  isAlreadyExists,
  isNotFound,
  type ResourceClient,
} from '../../../client/index.ts';
import { pause } from './pause.ts';

/** Where the writes go. */
export const WRITES_NAMESPACE = 'default';
const WRITERS = 3;
const KEYS_PER_WRITER = 25;
/** Keeps half of the host's time for those that are tested. */
const BETWEEN_WRITES_MS = 4;

/** The value of a key; null where there is no object. */
type Value = string | null;

/** A run of writers. */
export interface Writes {
  /** What each key may hold: one value, or several where a write was not answered. */
  readonly keys: ReadonlyMap<string, ReadonlySet<Value>>;
  /** Acknowledged so far. */
  readonly acknowledged: number;
  /** What an answer gave away: something acknowledged that was not there, or a revision that came again. */
  readonly violations: readonly string[];
  /** Resolves when every write is answered or has failed. */
  stop(): Promise<void>;
}

/** Starts the writers. `onAcknowledged` is told of each write with the time at which it began. */
export function startWrites(
  client: Client,
  random: Random,
  onAcknowledged: (begunAt: number) => void,
): Writes {
  const configs = client.resource(ConfigMaps);
  const keys = new Map<string, Set<Value>>();
  const violations: string[] = [];
  let acknowledged = 0;
  let over = false;
  const run = async (writer: number) => {
    let revision = 0;
    for (let i = 0; !over; i += 1) {
      const name = `w${writer}-${Math.floor(random.next() * KEYS_PER_WRITER)}`;
      const value = `${writer}.${i}`;
      const maybe = keys.get(name) ?? new Set<Value>([null]);
      keys.set(name, maybe);
      const write = { configs, name, value, maybe, pick: random.next() };
      const begunAt = Date.now();
      const said = await writeOnce(write).catch(
        (error: unknown): Outcome => ({ violation: `${name}: ${String(error)}` }),
      );
      if (said?.violation) violations.push(said.violation);
      if (said?.acknowledged) {
        acknowledged += 1;
        onAcknowledged(begunAt);
      }
      if (said?.revision !== undefined) {
        if (said.revision <= revision)
          violations.push(`${name}: revision ${said.revision} after ${revision}`);
        revision = said.revision;
      }
      await pause(BETWEEN_WRITES_MS);
    }
  };
  const running = Promise.all(Array.from({ length: WRITERS }, (_, writer) => run(writer)));
  return {
    keys,
    violations,
    get acknowledged() {
      return acknowledged;
    },
    async stop() {
      over = true;
      await running;
    },
  };
}

interface Write {
  readonly configs: ResourceClient<ConfigMap>;
  readonly name: string;
  readonly value: string;
  readonly maybe: Set<Value>;
  /** In [0, 1). */
  readonly pick: number;
}

/** What a write came to; undefined when nobody answered, or somebody said what may be. */
interface Outcome {
  readonly acknowledged?: true;
  /** Of the object as written; deletions tell none. */
  readonly revision?: number;
  readonly violation?: string;
}

async function writeOnce(write: Write): Promise<Outcome | undefined> {
  const { maybe, pick } = write;
  const absent = maybe.has(null);
  if (absent && (maybe.size === 1 || pick < 0.5)) return create(write);
  return pick < 0.75 ? update(write) : remove(write);
}

async function create(write: Write): Promise<Outcome | undefined> {
  const { configs, name, maybe } = write;
  try {
    return settle(write, await configs.create(objectOf(write)));
  } catch (error) {
    if (!isAlreadyExists(error)) return doubt(write, error, write.value);
    if (maybe.size === 1) return { violation: `${name}: deleted, and there again` };
    maybe.delete(null);
    return undefined;
  }
}

async function update(write: Write): Promise<Outcome | undefined> {
  const { configs, name, value, pick } = write;
  const ref = { namespace: WRITES_NAMESPACE, name };
  try {
    const made =
      pick < 0.6
        ? await configs.update(objectOf(write))
        : await configs.patch(ref, { type: 'merge', body: { data: { value } } });
    return settle(write, made);
  } catch (error) {
    return isNotFound(error) ? missing(write) : doubt(write, error, value);
  }
}

async function remove(write: Write): Promise<Outcome | undefined> {
  const { configs, name, maybe } = write;
  try {
    await configs.delete({ namespace: WRITES_NAMESPACE, name });
    maybe.clear();
    maybe.add(null);
    return { acknowledged: true };
  } catch (error) {
    return isNotFound(error) ? missing(write) : doubt(write, error, null);
  }
}

function settle({ maybe, value }: Write, made: ConfigMap): Outcome {
  maybe.clear();
  maybe.add(value);
  return { acknowledged: true, revision: Number(made.metadata.resourceVersion) };
}

function missing({ name, maybe }: Write): Outcome | undefined {
  if (!maybe.has(null))
    return { violation: `${name}: acknowledged as ${[...maybe].join(' or ')}, and missing` };
  maybe.clear();
  maybe.add(null);
  return undefined;
}

/** Not answered: it took place or it did not. */
async function doubt({ maybe }: Write, error: unknown, value: Value): Promise<undefined> {
  if (!isPassing(error)) throw error;
  maybe.add(value);
  // Nobody listens for a moment.
  await pause(20);
}

/** A server that is killed, or not up yet, answers with nothing, or with "not now". */
export function isPassing(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: number };
  return name === 'ConnectionError' || (name === 'StatusError' && (code === 503 || code === 429));
}

const objectOf = ({ name, value }: Write): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: WRITES_NAMESPACE, labels: { written: 'true' } },
  data: { value },
});
