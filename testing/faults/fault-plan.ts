// Decides what befalls each request: the first rule that fits and strikes.
// Invariant: from the same rules, requests and randomness come the same faults.
import type { Random } from '../../base/random.ts';
import { decodePath } from '../../api/wire/request-path.ts';
import { requestInfo } from '../../apiserver/request-info.ts';
import { searchParams } from '../../client/transport/reply.ts';
import type { TransportRequest } from '../../client/transport/transport.ts';
import type { Fault, FaultRule, FaultTarget } from './fault.ts';

/** Faults remembered at most; the oldest are forgotten. */
export const MAX_REMEMBERED_FAULTS = 10_000;

/** A fault that befell a request. */
export interface InjectedFault {
  readonly fault: Fault;
  readonly target: FaultTarget;
}

interface CountedRule {
  readonly rule: FaultRule;
  /** Requests that fitted. */
  fitted: number;
  /** Those of them that were struck. */
  struck: number;
}

/** The rules of one client, and what came of them. */
export class FaultPlan {
  readonly injected: InjectedFault[] = [];
  readonly #rules: readonly CountedRule[];
  readonly #random: Random;

  constructor(rules: readonly FaultRule[], random: Random) {
    this.#rules = rules.map((rule) => ({ rule, fitted: 0, struck: 0 }));
    this.#random = random;
  }

  /** What befalls the request. Requests that are about no object of a kind (discovery, health) are left alone. */
  faultFor(request: TransportRequest): InjectedFault | undefined {
    const target = targetOf(request);
    if (!target) return undefined;
    // Every rule counts every request that fits, so that a rule's nth does not depend on the rules before it.
    const striking = this.#rules.filter((counted) => this.#strikes(counted, target));
    const [first] = striking;
    if (!first) return undefined;
    first.struck++;
    const injected = { fault: first.rule.fault, target };
    if (this.injected.push(injected) > MAX_REMEMBERED_FAULTS) this.injected.shift();
    return injected;
  }

  #strikes(counted: CountedRule, target: FaultTarget): boolean {
    const { rule } = counted;
    if (!fits(rule, target)) return false;
    counted.fitted++;
    if (counted.struck >= (rule.times ?? Infinity)) return false;
    if (rule.nth !== undefined && ![rule.nth].flat().includes(counted.fitted)) return false;
    return rule.probability === undefined || this.#random.next() < rule.probability;
  }
}

function fits(rule: FaultRule, target: FaultTarget): boolean {
  const { verb, ref, subresource, namespace, name, where } = rule;
  return (
    (verb === undefined || [verb].flat().includes(target.verb)) &&
    (ref === undefined || (ref.plural === target.resource && ref.group === target.group)) &&
    (subresource === undefined || subresource === target.subresource) &&
    (namespace === undefined || namespace === target.namespace) &&
    (name === undefined || name === target.name) &&
    (where === undefined || where(target))
  );
}

function targetOf({ method, path, query }: TransportRequest): FaultTarget | undefined {
  const info = requestInfo({ method, path: decodePath(path), query: searchParams(query) });
  if (info.kind !== 'resource') return undefined;
  const { verb, group, resource, subresource = '', namespace, name = '' } = info;
  return { verb, group, resource, subresource, namespace, name };
}
