// What a part of the bench is, and what it tells.
// Invariant: a figure was measured in this run; a goal is shown beside it and decides nothing.

/** One line of a table. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Such as `< 1000`. */
  readonly goal?: string;
  /** What else is known of requests. */
  readonly load?: LoadFigure;
}

/** A row of the API server's; milliseconds unless it says otherwise. */
export interface LoadFigure {
  readonly clients: number;
  readonly p99: number;
  /** CPU time of the server for one request, all its threads, µs. */
  readonly serverCpuUs: number;
  /** The longest that the server's event loop was held during the row. */
  readonly longestTurn: number;
  /** The same load on a bare server that answers as many bytes: what the generator and this host can do. */
  readonly bare?: { readonly perSecond: number; readonly serverCpuUs: number };
}

/** Takes figures as they are measured. */
export type Note = (figure: Figure) => void;

/** Figures that belong together: what `npm run bench -- NAME` runs. */
export interface Part {
  readonly name: string;
  /** Measures; what it leaves in `directory` is removed afterwards. */
  measure(note: Note, directory: string): Promise<void>;
}

/** The middle value; the upper of two. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
