// Where the agent of a node is reached: the address and port that the node's status tells.
import type { Node } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import { StatusError } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { NodeAddress } from './node-dialer.ts';

/** The agent's address. Throws ServiceUnavailable for a node that is not there or tells none. */
export function agentAddress(store: ObjectStore, name: string): NodeAddress {
  const node = store.get(objectKey(Nodes, '', name))?.object() as unknown as Node | undefined;
  const host = node?.status?.addresses?.find((address) => address.type === 'InternalIP')?.address;
  const port = node?.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (host && port) return { host, port };
  throw new StatusError('ServiceUnavailable', `node ${name} has no address to reach its agent at`);
}
