// Keeps the kernel's nftables table in step with Services and their EndpointSlices.
// Invariant: one nft transaction at a time; a failed one leads to a table built anew, so kernel and program never drift.
import { backoffDelay } from '../../base/backoff.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { EndpointSlices, Pods, Services } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import type { Informer, InformerFactory } from '../../client/informer/informer.ts';
import type { System } from '../../system/system.ts';
import { type NetworkLayout, tableName } from '../layout.ts';
import { asksForHostPorts, hostPortFronts } from './host-ports.ts';
import { type Front, frontsOf, isReadyIn, SERVICE_NAME_LABEL } from './rows.ts';
import { baseRuleset, ServiceTable } from './ruleset.ts';

/** Delays between tries when nft refuses. */
const RETRY = { initialMs: 100, maxMs: 10_000 };
/** Index of slices by `namespace/service`. */
const BY_SERVICE = 'service-proxy/service';
/** Index of slices by the addresses in them. */
const BY_ADDRESS = 'service-proxy/address';
/** Index of the node's pods: those that ask for ports of it stand under one key, which is no Service's. */
const HOST_PORTS = 'service-proxy/host-ports';
/** The slices are right again by then, whatever happened. */
const SUSPENSION_MS = 5_000;

/** What the proxy needs. */
export interface ServiceProxyOptions {
  readonly informers: InformerFactory;
  readonly system: System;
  readonly layout: NetworkLayout;
  /** Ports of this node are led to its pods. */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Programs Services on one node until its signal aborts; what it programmed goes on working after that. */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #pods: Informer<Pod>;
  /** Services whose rows may have changed; at most one entry each. */
  readonly #dirty = new Set<string>();
  /** Addresses that got dead on this node before the slices say so, with what ends the suspension. */
  readonly #suspended = new Map<string, Timer>();
  #table: ServiceTable | undefined;
  #wake: () => void = () => undefined;

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#services = options.informers.informer(Services);
    this.#slices = options.informers.informer(EndpointSlices);
    this.#pods = options.informers.informer(Pods, {
      fieldSelector: `spec.nodeName=${options.nodeName}`,
    });
    this.#pods.addIndex(HOST_PORTS, (pod) => (asksForHostPorts(pod) ? [HOST_PORTS] : []));
    this.#slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
    this.#slices.addIndex(BY_ADDRESS, (slice) =>
      (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
    );
  }

  /**
   * Sends nothing more to an address of this node whose container just ended. The slices say the same a moment later,
   * by way of the API; until then, or for five seconds at most, this node's own knowledge counts.
   */
  suspend(ip: string): void {
    const slices = this.#slices.byIndex(BY_ADDRESS, ip).filter((slice) => isReadyIn(slice, ip));
    if (slices.length === 0) return;
    this.#suspended.get(ip)?.cancel();
    this.#suspended.set(
      ip,
      this.#options.clock.timer(SUSPENSION_MS, () => this.#resume(ip)),
    );
    this.#markAll(slices);
  }

  #resume(ip: string): void {
    this.#suspended.get(ip)?.cancel();
    if (this.#suspended.delete(ip)) this.#markAll(this.#slices.byIndex(BY_ADDRESS, ip));
  }

  /** A slice that no longer calls the address ready has caught up. */
  #caughtUp(slice: EndpointSlice): void {
    for (const ip of this.#suspended.keys())
      if (this.#slices.byIndex(BY_ADDRESS, ip).includes(slice) && !isReadyIn(slice, ip))
        this.#resume(ip);
  }

  #markAll(slices: readonly EndpointSlice[]): void {
    for (const slice of slices) this.#dirty.add(serviceKeyOf(slice));
    this.#wake();
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const mark = (key: string) => {
      this.#dirty.add(key);
      this.#wake();
    };
    const markPod = (pod: Pod) => {
      if (asksForHostPorts(pod)) mark(HOST_PORTS);
    };
    const subscriptions = [
      this.#pods.subscribe({ onAdd: markPod, onUpdate: markPod, onDelete: markPod }),
      this.#services.subscribe({
        onAdd: (service) => mark(keyOf(service)),
        onUpdate: (service) => mark(keyOf(service)),
        onDelete: (service) => mark(keyOf(service)),
      }),
      this.#slices.subscribe({
        onAdd: (slice) => mark(serviceKeyOf(slice)),
        onUpdate: (slice) => {
          this.#caughtUp(slice);
          mark(serviceKeyOf(slice));
        },
        onDelete: (slice) => mark(serviceKeyOf(slice)),
      }),
    ];
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    try {
      const all = [this.#services, this.#slices, this.#pods];
      await Promise.all(all.map((informer) => informer.synced(signal)));
      await this.#loop(signal);
    } finally {
      for (const unsubscribe of subscriptions) unsubscribe();
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      if (this.#table && this.#dirty.size === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await this.#apply();
        failures = 0;
      } catch (err) {
        this.#table = undefined;
        const waitMs = backoffDelay(failures++, RETRY);
        this.#options.logger.error('nft refused the service table; building it anew', {
          err,
          waitMs,
        });
        await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  async #apply(): Promise<void> {
    const text = this.#table ? this.#changes(this.#table) : this.#whole();
    if (text === '') return;
    await this.#options.system.run('nft', ['-f', '-'], { input: text });
  }

  #changes(table: ServiceTable): string {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys.map((key) => table.replace(key, this.#frontsOf(key))).join('');
  }

  /** Base and all fronts in one transaction: what an earlier agent left is replaced without a gap. */
  #whole(): string {
    this.#dirty.clear();
    const table = new ServiceTable(this.#options.layout);
    const keys = [HOST_PORTS, ...this.#services.list().map(keyOf)];
    const fronts = keys.map((key) => table.replace(key, this.#frontsOf(key)));
    const dns = table.replace('dns', dnsFronts(this.#options.layout));
    this.#table = table;
    return [baseRuleset(this.#options.layout), ...fronts, dns].join('');
  }

  #frontsOf(key: string): Front[] {
    if (key === HOST_PORTS) return hostPortFronts(this.#pods.byIndex(HOST_PORTS, HOST_PORTS));
    const service = this.#services.get(key);
    const suspended = new Set(this.#suspended.keys());
    return service ? frontsOf(service, this.#slices.byIndex(BY_SERVICE, key), suspended) : [];
  }
}

/** Removes the table. */
export async function removeServiceTable(system: System, layout: NetworkLayout): Promise<void> {
  const table = tableName(layout);
  await system.run('nft', ['-f', '-'], {
    input: `add table ip ${table}\ndelete table ip ${table}\n`,
  });
}

/** DNS has an address among the Services; this node's own server stands behind it. */
function dnsFronts(layout: NetworkLayout): Front[] {
  const backends = [{ ip: layout.nodeIp, port: layout.dnsPort }];
  return (['udp', 'tcp'] as const).map((protocol) => ({
    ip: layout.dnsIp,
    protocol,
    port: 53,
    backends,
  }));
}

function serviceKeyOf(slice: EndpointSlice): string {
  const { namespace = '', labels } = slice.metadata;
  return `${namespace}/${labels?.[SERVICE_NAME_LABEL] ?? ''}`;
}
