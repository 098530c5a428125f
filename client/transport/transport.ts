// Transport: how a client reaches an API server; HTTP(S) or a Handler in this process.
// Invariant: both give the same outcomes; a failure Status is thrown as StatusError.
import type { WebSocket } from 'ws';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Method, WatchEventObject } from '../../api/wire/exchange.ts';

/** One call. */
export interface TransportRequest {
  readonly method: Method;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: LooseObject | readonly unknown[] | Uint8Array;
  /** Default: application/json. Patches name theirs. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer; `object` parses at most once. In-process answers are frozen. */
export interface TransportReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  bytes(): Uint8Array;
  object(): LooseObject;
  /** Texts of `Warning` headers. */
  readonly warnings: readonly string[];
}

/** The way to a server. */
export interface Transport {
  request(request: TransportRequest): Promise<TransportReply>;
  /** The events of a watch; ends when the server ends it, throws StatusError or a connection error. An ERROR event is thrown. */
  watch(request: TransportRequest): AsyncIterable<readonly WatchEventObject[]>;
  /** A body as it comes (logs). */
  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>>;
  /** A WebSocket-upgraded connection (exec, attach, port-forward): paused, to be resumed by whoever listens to it. */
  upgrade?(
    request: TransportRequest,
    protocols: readonly string[],
  ): Promise<{ socket: WebSocket; protocol: string }>;
  close(): void;
}
