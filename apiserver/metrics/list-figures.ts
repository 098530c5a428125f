// Figures of lists under upstream's names: of those out of memory, which upstream calls its cache, and of those at a past revision.
// Invariant: a list costs one look-up and a few additions, however long it is.
import type { KindRef } from '../../api/kind-ref.ts';
import type { Count, Figures } from '../../base/figures.ts';

/** A list that was made. */
export interface MadeList {
  /** Where its objects came from: memory, or storage, which alone has the past. */
  readonly from: 'cache' | 'storage';
  /** Objects that were looked at. */
  readonly fetched: number;
  /** Objects that the answer has. */
  readonly returned: number;
}

/** What is counted of the lists of one kind from one place. */
interface Counts {
  readonly lists: Count;
  readonly objects: readonly { readonly count: Count; readonly of: 'fetched' | 'returned' }[];
}

type CountsOf = (ref: KindRef) => Counts;

/** Counts lists. */
export class ListFigures {
  readonly #make: Readonly<Record<MadeList['from'], CountsOf>>;
  readonly #known = {
    cache: new WeakMap<KindRef, Counts>(),
    storage: new WeakMap<KindRef, Counts>(),
  };

  constructor(figures: Figures) {
    this.#make = { cache: cacheLists(figures), storage: storageLists(figures) };
  }

  /** Counts a list of the kind. */
  count(ref: KindRef, made: MadeList): void {
    const known = this.#known[made.from];
    let counts = known.get(ref);
    if (!counts) known.set(ref, (counts = this.#make[made.from](ref)));
    counts.lists.add();
    for (const { count, of } of counts.objects) count.add(made[of]);
  }
}

function cacheLists(figures: Figures): CountsOf {
  const labels = ['group', 'resource', 'index'] as const;
  const name = 'apiserver_cache_list';
  const lists = figures.counter({
    name: `${name}_total`,
    help: 'Lists that came from memory.',
    labels,
  });
  const fetched = figures.counter({
    name: `${name}_fetched_objects_total`,
    help: 'Objects that were looked at in memory for lists.',
    labels,
  });
  const returned = figures.counter({
    name: `${name}_returned_objects_total`,
    help: 'Objects of lists that came from memory.',
    labels: ['group', 'resource'],
  });
  // Lists are found by their place alone: no index is used.
  return ({ group, plural }) => ({
    lists: lists.of(group, plural, ''),
    objects: [
      { of: 'fetched', count: fetched.of(group, plural, '') },
      { of: 'returned', count: returned.of(group, plural) },
    ],
  });
}

function storageLists(figures: Figures): CountsOf {
  const family = (what: string, help: string) =>
    figures.counter({
      name: `apiserver_storage_list_${what}total`,
      help,
      labels: ['group', 'resource'],
    });
  const lists = family('', 'Lists of the past, which came from storage.');
  const fetched = family('fetched_objects_', 'Objects that were read from storage for lists.');
  const evaluated = family(
    'evaluated_objects_',
    'Objects from storage that selectors were asked of.',
  );
  const returned = family('returned_objects_', 'Objects of lists that came from storage.');
  return ({ group, plural }) => ({
    lists: lists.of(group, plural),
    objects: [
      { of: 'fetched', count: fetched.of(group, plural) },
      { of: 'fetched', count: evaluated.of(group, plural) },
      { of: 'returned', count: returned.of(group, plural) },
    ],
  });
}
