// The node's heartbeat: a Lease in kube-node-lease, renewed every ten seconds unless told otherwise.
// Invariant: never gives up; a renewal that fails is tried again well before the lease runs out.
import type { Lease } from '../../api/generated/types.ts';
import { Leases, Nodes } from '../../api/kinds.ts';
import { formatMicroTime } from '../../api/meta/time.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status.ts';
import { HEARTBEAT_MS, type NodeAgentOptions } from '../options.ts';

const NAMESPACE = 'kube-node-lease';
/** As upstream: a Lease outlives three renewals that fail. */
const RENEWALS = 4;
const RETRY_MS = 1_000;

/** Renews until the signal aborts. Never rejects. */
export async function keepNodeLease(options: NodeAgentOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, heartbeatMs = HEARTBEAT_MS } = options;
  let held: Lease | undefined;
  for (let failures = 0; !signal.aborted; ) {
    let pause = heartbeatMs;
    try {
      held = await renew(options, held, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 5) logger.warn('the node lease cannot be renewed', { err: error });
      held = undefined;
      pause = RETRY_MS;
    }
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}

async function renew(
  options: NodeAgentOptions,
  held: Lease | undefined,
  signal: AbortSignal,
): Promise<Lease> {
  const { client, clock, nodeName } = options;
  const leases = client.resource(Leases);
  const renewTime = formatMicroTime(clock.now());
  const known = held ?? (await getLease(options, signal));
  if (known) {
    const spec = {
      ...known.spec,
      holderIdentity: nodeName,
      leaseDurationSeconds: durationOf(options),
      renewTime,
    };
    try {
      return await leases.update({ ...known, spec }, { signal });
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      // Somebody wrote to it, or deleted it, since it was read.
      return renewFresh(options, signal);
    }
  }
  return renewFresh(options, signal);
}

async function renewFresh(options: NodeAgentOptions, signal: AbortSignal): Promise<Lease> {
  const { client, clock, nodeName } = options;
  const leases = client.resource(Leases);
  const spec = {
    holderIdentity: nodeName,
    leaseDurationSeconds: durationOf(options),
    renewTime: formatMicroTime(clock.now()),
  };
  const known = await getLease(options, signal);
  if (known) return leases.update({ ...known, spec: { ...known.spec, ...spec } }, { signal });
  // The lease goes with its node.
  const node = await client.resource(Nodes).get({ name: nodeName }, { signal });
  const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '' };
  const fresh: Lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: NAMESPACE, name: nodeName, ownerReferences: [owner] },
    spec,
  };
  try {
    return await leases.create(fresh, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return leases.get({ namespace: NAMESPACE, name: nodeName }, { signal });
  }
}

const durationOf = ({ heartbeatMs = HEARTBEAT_MS }: NodeAgentOptions): number =>
  Math.ceil((RENEWALS * heartbeatMs) / 1000);

async function getLease(
  { client, nodeName }: NodeAgentOptions,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  try {
    return await client.resource(Leases).get({ namespace: NAMESPACE, name: nodeName }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
