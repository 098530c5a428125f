// Pods for the bench of a node: one at a time and many at once, their moments seen by one watch as a user's client sees them.
// Invariant: a moment is that of the watch event's arrival; a wait that never ends fails with what was waited for.
import { performance } from 'node:perf_hooks';
import type { Deployment, Pod, PodSpec } from '../../api/generated/types.ts';
import { Deployments, Pods } from '../../api/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { Client } from '../../client/rest/client.ts';
import { PERL_IMAGE, SERVE } from '../../test/support/perl-image.ts';

const NAMESPACE = 'default';
const FLEET = 'fleet';
const PATIENCE_MS = 120_000;

/** A pod as the watch told of it last. */
type Seen = ReadonlyMap<string, Pod>;

/** Sees all pods of the namespace. */
export class PodEyes {
  readonly #seen = new Map<string, Pod>();
  readonly #ended = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #watching: Promise<void>;

  constructor(client: Client) {
    this.#watching = this.#watch(client);
    this.#watching.catch(() => undefined);
  }

  /** Resolves with the time at which it holds; the first look is now. */
  async until(what: string, holds: (pods: Seen) => boolean): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const look = () => {
      if (holds(this.#seen)) resolve(performance.now());
    };
    const timer = setTimeout(() => reject(new Error(`never came about: ${what}`)), PATIENCE_MS);
    this.#waiting.add(look);
    look();
    this.#watching.catch(reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#watching.catch(() => undefined);
  }

  async #watch(client: Client): Promise<void> {
    const where = { namespace: NAMESPACE, signal: this.#ended.signal };
    for await (const events of client.resource(Pods).watch(where)) {
      for (const { type, object } of events) {
        const { name = '' } = object.metadata;
        if (type === 'DELETED') this.#seen.delete(name);
        else this.#seen.set(name, object as Pod);
      }
      for (const look of this.#waiting) look();
    }
  }
}

const spec = (container: Partial<PodSpec['containers'][number]>): PodSpec => ({
  terminationGracePeriodSeconds: 1,
  automountServiceAccountToken: true,
  containers: [{ name: 'main', image: PERL_IMAGE, imagePullPolicy: 'IfNotPresent', ...container }],
});

/** Its program heeds no signal that one may heed, as PID 1 does that has no handler. */
const SLEEPER = spec({ command: ['/bin/sleep', '3600'] });
/** Answers an HTTP probe each 10 s. */
const SERVER = spec({
  command: [SERVE, '8080'],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 10 },
});

const isRunning = (pod: Pod | undefined) => pod?.status?.phase === 'Running';
const isReady = (pod: Pod) => isConditionTrue(pod.status?.conditions, 'Ready');
const fleetOf = (pods: Seen) =>
  [...pods.values()].filter(({ metadata }) => metadata.labels?.['app'] === FLEET);

/** Creates a pod, sees it Running, deletes it at once and waits for its end. Milliseconds from the request to Running. */
export async function podRunningMs(client: Client, eyes: PodEyes, name: string): Promise<number> {
  const pods = client.resource(Pods);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: SLEEPER,
  };
  const createdAt = performance.now();
  await pods.create(pod);
  const runsAt = await eyes.until(`${name} runs`, (seen) => isRunning(seen.get(name)));
  await pods.delete({ namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 });
  await eyes.until(`${name} is gone`, (seen) => !seen.has(name));
  return runsAt - createdAt;
}

/** Creates a Deployment of so many pods; milliseconds until all are Running. With probes: until all are Ready. */
export async function fleetRunningMs(
  client: Client,
  eyes: PodEyes,
  { replicas, probed }: { replicas: number; probed: boolean },
): Promise<number> {
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: FLEET, namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app: FLEET } },
      template: { metadata: { labels: { app: FLEET } }, spec: probed ? SERVER : SLEEPER },
    },
  };
  const createdAt = performance.now();
  await client.resource(Deployments).create(deployment);
  const good = probed ? isReady : isRunning;
  const all = (seen: Seen) => fleetOf(seen).filter(good).length === replicas;
  return (await eyes.until(`${replicas} pods run`, all)) - createdAt;
}

/** Deletes the Deployment; milliseconds until the last of its pods is gone from the API. */
export async function fleetGoneMs(client: Client, eyes: PodEyes): Promise<number> {
  const deletedAt = performance.now();
  await client.resource(Deployments).delete({ namespace: NAMESPACE, name: FLEET });
  const gone = (seen: Seen) => fleetOf(seen).length === 0;
  return (await eyes.until('the fleet is gone', gone)) - deletedAt;
}
