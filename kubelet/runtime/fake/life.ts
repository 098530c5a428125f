// What a container of the fake runtime does: scripted lives for tests and for nodes without containers.

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
  /** Lines in its log, all written at the start. */
  readonly log?: readonly string[];
  /** Its termination message. */
  readonly message?: string;
  /** Cannot be created, or started where the reason is `StartError`: the reason and the text. */
  readonly broken?: { readonly reason: string; readonly message: string };
  /** Steady use. */
  readonly cpuNanoCores?: number;
  readonly memoryBytes?: number;
  /** What a command in it comes to; exit code 0 and no output unless given. */
  readonly exec?: (command: readonly string[]) => { exitCode: number; stdout?: string };
}

/** Runs on, heeds its stop signal, uses little. */
export const STEADY: Life = {};
