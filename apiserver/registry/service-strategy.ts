// Addresses and node ports of Services: allocated on write, kept on update, given back on delete.
// Invariant: two Services never share an address or a node port; a refused write gives back what it took.
import { invalid, invalidValue } from '../../api/field-error.ts';
import { Services } from '../../api/kinds.ts';
import type { Service, ServicePort } from '../../api/generated/types.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/status.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { NumberPool } from './address-pool.ts';
import { collectionPrefix } from './keys.ts';
import type { Strategy } from './strategies.ts';

/** Upstream's range of node ports. */
export const NODE_PORTS: readonly [number, number] = [30_000, 32_767];

/** Addresses that no user's Service gets: the API server's own, and that of DNS. */
const RESERVED_OFFSETS = [1, 10];
const RESERVED = 'reserved';

/** What the strategy needs. */
export interface ServiceStrategyOptions {
  readonly store: ObjectStore;
  readonly serviceCidr: string;
  readonly nodePortRange: readonly [number, number];
}

/** Allocates for Services; starts from those that are stored. */
export class ServiceStrategy implements Strategy {
  readonly #addresses: NumberPool;
  readonly #ports: NumberPool;
  readonly #range: string;
  readonly #first: number;

  constructor(options: ServiceStrategyOptions) {
    const [base = '', length = '16'] = options.serviceCidr.split('/');
    this.#first = toNumber(base);
    const size = 2 ** (32 - Number(length));
    this.#range = options.serviceCidr;
    // Neither the network's address nor the broadcast address.
    this.#addresses = new NumberPool(this.#first + 1, size - 2);
    for (const offset of RESERVED_OFFSETS) this.#addresses.claim(this.#first + offset, RESERVED);
    const [from, to] = options.nodePortRange;
    this.#ports = new NumberPool(from, to - from + 1);
    for (const item of options.store.list(collectionPrefix(Services)).items)
      this.#hold(item.object() as unknown as Service);
  }

  /** The range's first address: the API server's own. */
  get firstAddress(): string {
    return toText(this.#first + 1);
  }

  allocate(object: LooseObject, old: LooseObject | undefined): { undo: () => void } {
    const service = object as unknown as Service;
    const before = old as unknown as Service | undefined;
    const holder = service.metadata.uid ?? '';
    const taken: (() => void)[] = [];
    const undo = () => {
      for (const give of taken) give();
    };
    try {
      this.#address(service, { before, holder, taken });
      this.#nodePorts(service, { before, holder, taken });
    } catch (error) {
      undo();
      throw error;
    }
    return { undo };
  }

  settle(object: LooseObject, old: LooseObject): void {
    // In one turn: nobody else can take between the two.
    this.release(old);
    this.#hold(object as unknown as Service);
  }

  release(object: LooseObject): void {
    const { metadata, spec } = object as unknown as Service;
    const holder = metadata.uid ?? '';
    if (isAddress(spec?.clusterIP)) this.#addresses.release(toNumber(spec.clusterIP), holder);
    for (const port of spec?.ports ?? [])
      if (port.nodePort) this.#ports.release(port.nodePort, holder);
  }

  #hold({ metadata, spec }: Service): void {
    const holder = metadata.uid ?? '';
    if (isAddress(spec?.clusterIP)) this.#addresses.claim(toNumber(spec.clusterIP), holder);
    for (const port of spec?.ports ?? [])
      if (port.nodePort) this.#ports.claim(port.nodePort, holder);
  }

  #address(service: Service, at: Taking): void {
    const spec = service.spec;
    if (!spec) return;
    if (spec.type === 'ExternalName') {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      return;
    }
    const kept = at.before?.spec?.clusterIP;
    if (!spec.clusterIP && kept) spec.clusterIP = kept;
    if (spec.clusterIP === 'None') {
      spec.clusterIPs = ['None'];
      return;
    }
    if (spec.clusterIP) this.#claimAddress(service, spec.clusterIP, at);
    else {
      const number = this.#addresses.take(at.holder);
      if (number === undefined)
        throw new StatusError(
          'InternalError',
          `all addresses of the service range ${this.#range} are in use`,
        );
      at.taken.push(() => this.#addresses.release(number, at.holder));
      spec.clusterIP = toText(number);
    }
    spec.clusterIPs = [spec.clusterIP];
    spec.ipFamilies = ['IPv4'];
    spec.ipFamilyPolicy = 'SingleStack';
  }

  #claimAddress(service: Service, ip: string, at: Taking): void {
    if (ip === at.before?.spec?.clusterIP) return;
    const number = isAddress(ip) ? toNumber(ip) : 0;
    const refuse = (why: string) =>
      invalid(Services, service.metadata.name ?? '', [invalidValue('spec.clusterIPs', [ip], why)]);
    if (!this.#addresses.has(number))
      throw refuse(
        `failed to allocate IP ${ip}: the provided IP is not in the valid range. The range of valid IPs is ${this.#range}`,
      );
    if (!this.#addresses.claim(number, at.holder))
      throw refuse(`failed to allocate IP ${ip}: provided IP is already allocated`);
    at.taken.push(() => this.#addresses.release(number, at.holder));
  }

  #nodePorts(service: Service, at: Taking): void {
    const { ports = [], type } = service.spec ?? {};
    if (type !== 'NodePort' && type !== 'LoadBalancer') {
      for (const port of ports) delete port.nodePort;
      return;
    }
    keepNodePorts(ports, at.before?.spec?.ports ?? []);
    // Chosen numbers first, so that none of them is given to a port that takes any.
    for (const [i, port] of ports.entries())
      if (port.nodePort) this.#claimPort(service, { port, i }, at);
    for (const port of ports) if (!port.nodePort) this.#takePort(port, at);
  }

  #takePort(port: ServicePort, at: Taking): void {
    const number = this.#ports.take(at.holder);
    if (number === undefined) throw new StatusError('InternalError', 'all node ports are in use');
    at.taken.push(() => this.#ports.release(number, at.holder));
    port.nodePort = number;
  }

  #claimPort(service: Service, { port, i }: { port: ServicePort; i: number }, at: Taking): void {
    const number = port.nodePort ?? 0;
    if ((at.before?.spec?.ports ?? []).some((each) => each.nodePort === number)) return;
    const refuse = (why: string) =>
      invalid(Services, service.metadata.name ?? '', [
        invalidValue(`spec.ports[${i}].nodePort`, number, why),
      ]);
    if (!this.#ports.has(number))
      throw refuse(
        'provided port is not in the valid range. The range of valid ports is 30000-32767',
      );
    // TCP and UDP ports of one Service may share a number.
    if (!this.#ports.claim(number, at.holder)) throw refuse('provided port is already allocated');
    at.taken.push(() => this.#ports.release(number, at.holder));
  }
}

interface Taking {
  readonly before: Service | undefined;
  readonly holder: string;
  readonly taken: (() => void)[];
}

/** A port that names no number keeps that of the port of its name, whatever else of it has changed, unless another one took it. */
function keepNodePorts(ports: readonly ServicePort[], before: readonly ServicePort[]): void {
  const known = new Map(before.map(({ name = '', nodePort }) => [name, nodePort]));
  const used = new Set(ports.map(({ nodePort }) => nodePort));
  for (const port of ports) {
    const kept = known.get(port.name ?? '');
    if (port.nodePort || !kept || used.has(kept)) continue;
    port.nodePort = kept;
    used.add(kept);
  }
}

function isAddress(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
}

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
