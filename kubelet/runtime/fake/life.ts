// What a container of the fake runtime does: scripted lives for tests and for nodes without containers.

/** A line that is written some time after the start. */
export interface LaterLine {
  readonly atMs: number;
  readonly line: string;
}

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
  /** Use of the processor, steady or asked for at a wall time; 1 millicore unless given. */
  readonly cpuNanoCores?: number | ((nowMs: number) => number);
  /** Memory in use, likewise; 16 MiB unless given. */
  readonly memoryBytes?: number | ((nowMs: number) => number);
  /** What a command in it comes to; exit code 0 and no output unless given. */
  readonly exec?: (command: readonly string[]) => { exitCode: number; stdout?: string };
}

/** Runs on, heeds its stop signal, uses little. */
export const STEADY: Life = {};
