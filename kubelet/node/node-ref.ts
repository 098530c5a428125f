// The node as events name it. Pure. Invariant: its name stands for its uid, as in upstream.
import type { Node } from '../../api/generated/types.ts';

/** What an event about the node of that name is about. */
export const nodeRef = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name },
});
