// What a container of the fake runtime does: scripted lives for tests and for nodes without containers.

/** A line that is written some time after the start. */
export interface LaterLine {
  readonly atMs: number;
  readonly line: string;
}

/** A figure that is steady, or asked for: at a wall time, of a container that started at another. */
export type Use = number | ((nowMs: number, startedAtMs: number) => number);

/** One container's life. Times count from its start. */
export interface Life {
  /** Ends by itself after this; runs on when left out. */
  readonly exitAfterMs?: number;
  /** Of an end by itself, or by its stop signal; 0 unless given. */
  readonly exitCode?: number;
  /** Its stop signal is not heeded. */
  readonly stubborn?: boolean;
  /** How long it takes from its stop signal to its end; 0 unless given. */
  readonly stopMs?: number;
  /** Lines in its log: written at the start, or later where they say when. */
  readonly log?: readonly (string | LaterLine)[];
  /** Its termination message. */
  readonly message?: string;
  /** Cannot be created, or started where the reason is `StartError`: the reason and the text. */
  readonly broken?: { readonly reason: string; readonly message: string };
  /** Use of the processor; 1 millicore unless given. */
  readonly cpuNanoCores?: Use;
  /** Memory in use; 16 MiB unless given. */
  readonly memoryBytes?: Use;
  /** Written into its own file system; nothing unless given. */
  readonly writtenBytes?: Use;
  /** What a command in it comes to; exit code 0 and no output unless given. */
  readonly exec?: (command: readonly string[]) => { exitCode: number; stdout?: string };
}

/** Runs on, heeds its stop signal, uses little. */
export const STEADY: Life = {};
