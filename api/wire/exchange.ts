// Request, Reply and Handler: what the server's pipeline speaks, whether a socket or a function call is behind it.
// Invariant: no sockets here, and nothing of any HTTP library.
import type { Duplex, Readable } from 'node:stream';
import type { LooseObject } from '../meta/object.ts';

/** Who makes a request. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** HTTP methods the API uses. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** What a request looked like on the wire, where it is to be passed on as it came. */
export interface WireRequest {
  /** Path and query, still encoded. */
  readonly target: string;
  /** The body, not read yet; undefined where the request has none. */
  readonly body: Readable | undefined;
  /** Address of the caller. */
  readonly from: string | undefined;
}

/** A request, its body wholly read (within the body limit) or none. */
export interface Request {
  readonly method: Method;
  /** Decoded path without query, e.g. `/api/v1/namespaces/default/pods`. Segments are percent-decoded after splitting. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Bytes off a socket, or an object from a caller in this process (which must not change it afterwards). */
  readonly body?: Uint8Array | LooseObject;
  /** Set on requests to a proxy that came through a socket; `body` is not. */
  readonly wire?: WireRequest;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** An event of a watch. Framed once, parsed at most once, whoever watches. */
export interface WatchFrame {
  /** The line with its newline, as it goes on the wire. */
  readonly bytes: Uint8Array;
  /** The event as a shared, deeply frozen object. Table and other transformed watches have none of their own: parsed on demand. */
  event(): WatchEventObject;
}

/** A watch event as a value. */
export interface WatchEventObject {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: LooseObject;
}

/**
 * A raw two-way connection. Whoever owns the caller's socket (the HTTP adapter) writes `101 Switching Protocols` with
 * `headers` to it first and calls `accept` after that, once; when it cannot, it never calls `accept`.
 */
export interface UpgradedConnection {
  /**
   * Takes the caller's socket over, its 101 already written: nothing but the upgraded protocol's bytes may be written
   * to it from here on. `head` are bytes already read after the request.
   */
  accept(socket: Duplex, head: Uint8Array): void;
  /** What the 101 says, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer. Header names are lower-case. */
export type Reply =
  | {
      readonly kind: 'body';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      /** Chunks sent one after another; content-length is their sum. */
      readonly body: readonly Uint8Array[];
      /** For callers in this process: the answer as a frozen object, parsed at most once. */
      object?(): LooseObject;
    }
  | {
      readonly kind: 'stream';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      readonly body: AsyncIterable<Uint8Array>;
    }
  | {
      readonly kind: 'watch';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      /** Batches of frames; ends when the watch does. */
      readonly frames: AsyncIterable<readonly WatchFrame[]>;
    }
  | { readonly kind: 'upgrade'; readonly connection: UpgradedConnection };

/** The whole way of a request. Never throws: failures come back as Status replies. */
export type Handler = (request: Request, user: UserInfo) => Promise<Reply>;
