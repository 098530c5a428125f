// What /metrics shows of informers: the names that upstream has where it has them, and what befell the reflectors.
// Invariant: an event costs nothing here; counters are looked at when somebody asks.
import type { Figures } from '../../base/figures.ts';
import type { InformerReport, OwnedInformerFactory } from './informer-factory.ts';

/** The figures of a program's informers, by the name of whose they are. Informers of one resource are added up. */
export class InformerFigures {
  readonly #factories = new Map<string, Pick<OwnedInformerFactory, 'counters'>>();

  constructor(figures: Figures) {
    const each = (what: (report: InformerReport) => number) => () => this.#sums(what);
    const labels = ['name', 'resource'] as const;
    const count = (name: string, help: string, what: (report: InformerReport) => number) =>
      figures.read({ name, help, labels, type: 'counter' }, each(what));
    const level = (name: string, help: string, what: (report: InformerReport) => number) =>
      figures.read({ name, help, labels }, each(what));
    count('reflector_lists_total', 'Lists begun.', ({ counters }) => counters.lists);
    count('reflector_watches_total', 'Watches opened.', ({ counters }) => counters.watches);
    count('reflector_events_total', 'Events of watches taken.', ({ counters }) => counters.events);
    count(
      'informer_handler_errors_total',
      'Calls of handlers that failed.',
      ({ counters }) => counters.handlerErrors,
    );
    level('informer_objects', 'Objects in the cache.', ({ objects }) => objects);
    level(
      'informer_handler_backlog',
      'Objects that slow handlers are still to be told of.',
      ({ backlog }) => backlog,
    );
    level('informer_unsynced', 'Caches whose first state is not in yet.', ({ synced }) =>
      synced ? 0 : 1,
    );
    figures.read(
      {
        name: 'reflector_transitions_total',
        help: 'What befell reflectors, by transition.',
        labels: [...labels, 'transition'],
        type: 'counter',
      },
      () => this.#transitions(),
    );
  }

  /** Looks at these informers under this name from now on, in place of others before. */
  follow(name: string, factory: Pick<OwnedInformerFactory, 'counters'>): void {
    this.#factories.set(name, factory);
  }

  #sums(what: (report: InformerReport) => number): [string[], number][] {
    const sums = new Sums();
    for (const [name, report] of this.#reports()) sums.add([name, report.resource], what(report));
    return sums.all();
  }

  #transitions(): [string[], number][] {
    const sums = new Sums();
    for (const [name, { resource, counters }] of this.#reports())
      for (const [transition, times] of Object.entries(counters.transitions))
        if (times > 0) sums.add([name, resource, transition], times);
    return sums.all();
  }

  *#reports(): Generator<[string, InformerReport]> {
    for (const [name, factory] of this.#factories)
      for (const report of factory.counters()) yield [name, report];
  }
}

/** Figures added up by their labels. */
class Sums {
  readonly #sums = new Map<string, { readonly labels: string[]; sum: number }>();

  add(labels: string[], figure: number): void {
    const key = labels.join('\0');
    const known = this.#sums.get(key);
    if (known) known.sum += figure;
    else this.#sums.set(key, { labels, sum: figure });
  }

  all(): [string[], number][] {
    return Array.from(this.#sums.values(), ({ labels, sum }) => [labels, sum]);
  }
}
