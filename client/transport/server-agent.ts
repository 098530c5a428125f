// Connections over TLS to one server.
// Invariant: a connection is used again only under the certificate with which it was made.
import { Agent } from 'node:https';

/** Node's agent, for a single server. */
export class ServerAgent extends Agent {
  /**
   * What tells connections apart: the certificate alone. Node joins all options of TLS, authorities and keys among them, into one
   * text, which it makes and looks up several times a request: that took a tenth of what a request costs.
   */
  override getName(options?: Parameters<Agent['getName']>[0]): string {
    return String(options?.cert ?? '');
  }
}
