// What /metrics shows of leader elections, under upstream's names.
// Invariant: a Lease that is not held shows 0, from the first try on.
import type { Count, Family, Figures } from '../../base/figures.ts';

/** What one candidate tells. */
export interface ElectionObserver {
  leads(whether: boolean): void;
  /** A renewal had to read the Lease first. */
  tookSlowPath(): void;
}

/** The figures of a program's elections, by their Leases' names. */
export class ElectionFigures {
  readonly #status: Family<Count>;
  readonly #slow: Family<Count>;

  constructor(figures: Figures) {
    const labels = ['name'] as const;
    const of = (name: string, help: string) => ({ name: `leader_election_${name}`, help, labels });
    this.#status = figures.level(of('master_status', '1 where this program holds the Lease.'));
    this.#slow = figures.counter(
      of('slowpath_total', 'Renewals that had to read the Lease before they wrote it.'),
    );
  }

  /** What the candidate for the Lease of this name is to tell. */
  observer(name: string): ElectionObserver {
    const [status, slow] = [this.#status.of(name), this.#slow.of(name)];
    return {
      leads: (whether) => {
        status.value = whether ? 1 : 0;
      },
      tookSlowPath: () => slow.add(),
    };
  }
}
