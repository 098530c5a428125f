// NodeDialer: how the server reaches a node's agent, for logs and exec, and what runs there, for proxies.
// http/node-dialer.ts implements it; composition injects it.
import type { Duplex, Readable } from 'node:stream';

/** Where a node's agent listens. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** An agent's answer; the body as it comes. */
export interface NodeReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** An upgraded connection: the agent's 101 and what follows it. */
export interface NodeUpgrade {
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** What a request is passed on to. */
export type ProxyTarget =
  /** A node's agent itself, asked as the server. */
  | { readonly kind: 'agent'; readonly agent: NodeAddress }
  /** A port of a pod, through its node's agent, which knows the way wherever the node is. */
  | {
      readonly kind: 'pod';
      readonly agent: NodeAddress;
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly ip: string;
      readonly port: number;
      /** Spoken to over TLS; the pod's certificate is not verified, as upstream. */
      readonly secure: boolean;
    }
  /** A port of a node's own address. */
  | {
      readonly kind: 'node';
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
    };

/** A request that is passed on. */
export interface PassedRequest {
  readonly method: string;
  /** Path and query, encoded. */
  readonly target: string;
  /** Without `host`, the target's own is sent; several values of a name are several headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Readable | Uint8Array | undefined;
  /** Aborted when the caller goes away: ends the connection. */
  readonly signal: AbortSignal;
}

/** What came of a request that was passed on: an answer whose body is still to be read, or an upgrade. */
export type PassedReply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      readonly body: Readable;
    }
  | ({ readonly kind: 'upgrade' } & NodeUpgrade);

/** The way to nodes. All throw StatusError. */
export interface NodeDialer {
  request(address: NodeAddress, path: string, signal: AbortSignal): Promise<NodeReply>;
  /** `headers` say what to upgrade to. */
  upgrade(
    address: NodeAddress,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<NodeUpgrade>;
  /** Passes a whole request on, over a connection of its own. */
  pass(target: ProxyTarget, request: PassedRequest): Promise<PassedReply>;
}
