// NodeDialer: how the server reaches a node's agent for logs and exec. http/node-dialer.ts implements it; composition injects it.
import type { Duplex } from 'node:stream';

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

/** The way to agents. Both throw StatusError. */
export interface NodeDialer {
  request(address: NodeAddress, path: string, signal: AbortSignal): Promise<NodeReply>;
  /** `headers` say what to upgrade to. */
  upgrade(
    address: NodeAddress,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<NodeUpgrade>;
}
