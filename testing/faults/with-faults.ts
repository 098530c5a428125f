// withFaults: a client or a transport on which what a plan says goes wrong.
// Invariant: faults are made from rules and a seed alone, so a test that failed fails again.
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import type { ClockedClient } from '../eventually/wait.ts';
import type { FaultRule } from './fault.ts';
import { FaultPlan, type InjectedFault } from './fault-plan.ts';
import { FaultyTransport } from './faulty-transport.ts';

/** What faults are made with. */
export interface FaultsOptions {
  /** Times delays and retries: the client's own clock where it tells one, else the host's unless given. */
  readonly clock?: Clock;
  /** Where probabilities come from; seeded with 1 unless given. */
  readonly random?: Random;
}

/** A client on which things go wrong. */
export interface FaultyClient extends ClockedClient {
  /** The faults so far, oldest first (the last MAX_REMEMBERED_FAULTS): a test that counts on one should look. */
  readonly injected: readonly InjectedFault[];
}

/** The client with the rules' faults between it and its server. Of several rules that strike a request, the first counts. */
export function withFaults(
  target: ClockedClient,
  rules: readonly FaultRule[],
  options?: FaultsOptions,
): FaultyClient;
/** The same for a transport. */
export function withFaults(
  target: Transport,
  rules: readonly FaultRule[],
  options?: FaultsOptions,
): FaultyTransport;
export function withFaults(
  target: ClockedClient | Transport,
  rules: readonly FaultRule[],
  options: FaultsOptions = {},
): FaultyClient | FaultyTransport {
  const isClient = 'transport' in target;
  const clock = options.clock ?? (isClient ? target.clock : undefined) ?? systemClock;
  const plan = new FaultPlan(rules, options.random ?? seededRandom(1));
  if (!isClient) return new FaultyTransport(target, plan, clock);
  const client: Client = createClient(
    new FaultyTransport(target.transport, plan, clock),
    target.options,
  );
  return { ...client, clock, injected: plan.injected };
}
