// What the server shows of itself besides its requests: what it stores, who came in, and its process.
// Invariant: all of it but the counts of who came in is looked up when somebody asks; a count of objects costs O(log n).
import { breathe } from '../../base/breathe.ts';
import type { Scheme } from '../../api/scheme.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { SERVER_VERSION } from '../discovery/discovery.ts';
import type { Inflight } from '../inflight.ts';
import { collectionPrefix } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';

/** What is looked at. */
export interface ShownParts {
  readonly store: ObjectStore;
  readonly scheme: Scheme;
  readonly inflight: Inflight;
  readonly clock: Clock;
}

/** Adds the figures of a server. */
export function showServer(figures: Figures, { store, scheme, inflight, clock }: ShownParts): void {
  figures.read(
    {
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are worked on now, those that run for long left out.',
      labels: ['request_kind'],
    },
    () => [
      [['mutating'], inflight.now.mutating],
      [['readOnly'], inflight.now.readOnly],
    ],
  );
  const objects = () => objectCounts(store, scheme);
  figures.read(
    {
      name: 'apiserver_storage_objects',
      help: 'Stored objects by resource. Deprecated upstream: apiserver_resource_objects has the group too.',
      labels: ['resource'],
    },
    () =>
      objects().map(({ group, resource, count }) => [
        [group === '' ? resource : `${resource}.${group}`],
        count,
      ]),
  );
  figures.read(
    {
      name: 'apiserver_resource_objects',
      help: 'Stored objects by group and resource.',
      labels: ['group', 'resource'],
    },
    () => objects().map(({ group, resource, count }) => [[group, resource], count]),
  );
  const { compiler: _, ...version } = SERVER_VERSION;
  const build = [
    ['build_date', version.buildDate],
    ['git_commit', version.gitCommit],
    ['git_tree_state', version.gitTreeState],
    ['git_version', version.gitVersion],
    ['major', version.major],
    ['minor', version.minor],
    ['platform', version.platform],
  ] as const;
  figures.read(
    {
      name: 'kubernetes_build_info',
      help: 'Version of this server; always 1.',
      labels: build.map(([label]) => label),
    },
    () => [[build.map(([, value]) => value), 1]],
  );
  showProcess(figures, clock);
}

interface ObjectCount {
  readonly group: string;
  readonly resource: string;
  readonly count: number;
}

/** Once for each collection, however many versions show it. */
function objectCounts(store: ObjectStore, scheme: Scheme): readonly ObjectCount[] {
  const counts = new Map<string, ObjectCount>();
  for (const { ref } of [...scheme.definitions, ...scheme.custom]) {
    const prefix = collectionPrefix(ref);
    if (counts.has(prefix)) continue;
    const { items, remaining } = store.list(prefix, { limit: 1 });
    const group = ref.storedGroup ?? ref.group;
    counts.set(prefix, { group, resource: ref.plural, count: items.length + remaining });
  }
  return [...counts.values()];
}

const MICROSECONDS = 1e6;

/** Adds the usual figures of a Node process, without timers or observers: an idle server stays idle. */
export function showProcess(figures: Figures, clock: Clock): void {
  const startedAt = (clock.now() - process.uptime() * 1000) / 1000;
  const one = (name: string, help: string, look: () => number) =>
    figures.read({ name, help }, () => [[[], look()]]);
  figures.read(
    { name: 'process_cpu_seconds_total', help: 'CPU time of the process.', type: 'counter' },
    () => {
      const { user, system } = process.cpuUsage();
      return [[[], (user + system) / MICROSECONDS]];
    },
  );
  one('process_start_time_seconds', 'When the process began, Unix time.', () => startedAt);
  one('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  const memory = () => process.memoryUsage();
  one('nodejs_heap_size_total_bytes', 'Heap that V8 has.', () => memory().heapTotal);
  one('nodejs_heap_size_used_bytes', 'Heap in use.', () => memory().heapUsed);
  one('nodejs_external_memory_bytes', 'Memory of buffers and their like.', () => memory().external);
  figures.read(
    {
      name: 'nodejs_eventloop_lag_seconds',
      help: 'How long a turn of the event loop took to come when these figures were asked for.',
    },
    async () => {
      const askedAt = clock.monotonic();
      await breathe();
      return [[[], (clock.monotonic() - askedAt) / 1000]];
    },
  );
  figures.read(
    { name: 'nodejs_version_info', help: 'Version of Node; always 1.', labels: ['version'] },
    () => [[[process.version], 1]],
  );
}

/**
 * What /metrics/slis shows: each health check as it last ended, and how often it ended how. To be told of each check
 * that was run.
 */
export function healthFigures(
  figures: Figures,
): (name: string, type: string, passed: boolean) => void {
  const last = figures.level({
    name: 'kubernetes_healthcheck',
    help: 'Health checks as they last ended: 1 passed, 0 failed.',
    labels: ['name', 'type'],
  });
  const all = figures.counter({
    name: 'kubernetes_healthchecks_total',
    help: 'Health checks by how they ended.',
    labels: ['name', 'type', 'status'],
  });
  return (name, type, passed) => {
    last.of(name, type).value = passed ? 1 : 0;
    all.of(name, type, passed ? 'success' : 'error').add();
  };
}

/** The same authenticator, its outcomes counted. */
export function countedAuthenticator(figures: Figures, authenticate: Authenticator): Authenticator {
  const attempts = figures.counter({
    name: 'authentication_attempts',
    help: 'Requests by how authentication ended.',
    labels: ['result'],
  });
  const users = figures.counter({
    name: 'authenticated_user_requests',
    help: 'Requests of known users; only names that every cluster has are told apart.',
    labels: ['username'],
  });
  const [success, failure] = [attempts.of('success'), attempts.of('failure')];
  return (credentials) => {
    try {
      const user = authenticate(credentials);
      success.add();
      users.of(knownName(user)).add();
      return user;
    } catch (error) {
      failure.add();
      throw error;
    }
  };
}

const KNOWN_NAMES = new Set(['admin', 'client', 'kube_proxy', 'kubelet']);

/** As upstream: no label for each of a million users. */
function knownName({ username }: UserInfo): string {
  if (KNOWN_NAMES.has(username)) return username;
  return username.includes('@') ? 'email_id' : 'other';
}
