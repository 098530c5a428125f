// Figures of what upstream calls its watch cache, which is the server's memory of all objects: events that came into it by
// resource, and how far it is. Invariant: an event costs one look-up; nothing is asked of storage.
import type { Figures } from '../../base/figures.ts';
import type { ObjectStore } from '../watch/object-store.ts';

interface Received {
  events: number;
  revision: bigint;
}

/** Adds the figures of a store; resources of which no event came have none. */
export function showWatchCache(figures: Figures, store: ObjectStore): void {
  const collections = new Map<string, Received>();
  store.subscribe('', ({ key, revision }) => {
    const collection = key.slice(ROOT.length, key.indexOf('/', key.indexOf('/', ROOT.length) + 1));
    const received = collections.get(collection);
    if (received) {
      received.events += 1;
      received.revision = revision;
    } else collections.set(collection, { events: 1, revision });
  });
  const looked = (figure: (received: Received) => number) => () =>
    Array.from(collections, ([collection, received]) => {
      const [group = '', resource = ''] = collection.split('/');
      return [[group === 'core' ? '' : group, resource], figure(received)] as const;
    });
  const labels = ['group', 'resource'] as const;
  figures.read(
    {
      name: 'apiserver_watch_cache_events_received_total',
      help: 'Events that came into the memory of all objects.',
      labels,
      type: 'counter',
    },
    looked(({ events }) => events),
  );
  figures.read(
    {
      name: 'apiserver_watch_cache_resource_version',
      help: 'resourceVersion of the last event of the resource in the memory of all objects.',
      labels,
    },
    looked(({ revision }) => Number(revision)),
  );
}

/** What all keys begin with (registry/keys.ts). */
const ROOT = '/registry/';
