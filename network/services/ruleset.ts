// The text of the nftables table: its fixed part, and the difference between two sets of fronts. Pure.
// Two maps carry everything: front -> chain that draws a number, (front, number) -> backend. No chain per endpoint.
// Invariant: applying a difference to the state it was made from gives exactly the new state; one transaction each.
import { linkPrefix, type NetworkLayout, nodeDevice, tableName } from '../layout.ts';
import type { Front } from './rows.ts';

/** What one Service's fronts come to: element key -> `map element`, and the numbers of backends drawn from. */
export interface FrontElements {
  readonly elements: ReadonlyMap<string, string>;
  readonly draws: ReadonlySet<number>;
}

/** Nobody is behind these addresses: told at once. A reset is not rationed by the kernel as ICMP is. */
function refusals(layout: NetworkLayout): string {
  const nowhere = [
    `ip daddr ${layout.serviceCidr}`,
    `ip daddr ${layout.podCidr} oifname "${nodeDevice(layout)}"`,
  ];
  return nowhere
    .flatMap((match) => [`${match} meta l4proto tcp reject with tcp reset`, `${match} reject`])
    .join('\n    ');
}

/**
 * The whole table without fronts; replaces what an earlier run left. What this host sends to a Service passes the guard: there its
 * device is still that of the Service's address, although it is on its way to a pod.
 */
export function baseRuleset(layout: NetworkLayout): string {
  const table = tableName(layout);
  const links = `"${linkPrefix(layout)}*"`;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map fronts {
    type ipv4_addr . inet_proto . inet_service : verdict
  }
  map backends {
    type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service
  }
  map nodefronts {
    type inet_proto . inet_service : verdict
  }
  map nodebackends {
    type inet_proto . inet_service . mark : ipv4_addr . inet_service
  }
  set hairpins {
    type ipv4_addr . ipv4_addr
  }
  chain pick {
    dnat ip to ip daddr . meta l4proto . th dport . meta mark map @backends
  }
  chain nodepick {
    dnat ip to meta l4proto . th dport . meta mark map @nodebackends
  }
  chain services {
    ip daddr . meta l4proto . th dport vmap @fronts
    fib daddr type local meta l4proto . th dport vmap @nodefronts
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    meta l4proto { tcp, udp } jump services
  }
  chain output {
    type nat hook output priority -100
    meta l4proto { tcp, udp } jump services
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr . ip daddr @hairpins snat to ${layout.nodeIp}
    oifname ${links} ct status dnat ip saddr != ${layout.podCidr} snat to ${layout.nodeIp}
    ip saddr ${layout.podCidr} ip daddr != ${layout.podCidr} oifname != ${links} masquerade
  }
  chain forward {
    type filter hook forward priority filter
    ${refusals(layout)}
  }
  chain guard {
    type filter hook output priority filter
    ct status dnat accept
    ${refusals(layout)}
  }
}
`;
}

/** The elements that a set of fronts comes to. */
export function elementsOf(fronts: Iterable<Front>): FrontElements {
  const elements = new Map<string, string>();
  const draws = new Set<number>();
  for (const front of fronts) {
    const count = front.backends.length;
    if (count === 0) continue;
    draws.add(count);
    const [outer, inner] = front.ip ? ['fronts', 'backends'] : ['nodefronts', 'nodebackends'];
    const chain = front.ip ? `draw${count}` : `nodedraw${count}`;
    const key = `${front.ip ? `${front.ip} . ` : ''}${front.protocol} . ${front.port}`;
    elements.set(`${outer} ${key}`, `${key} : goto ${chain}`);
    front.backends.forEach((backend, i) => {
      const at = `${key} . ${markText(i)}`;
      elements.set(`${inner} ${at}`, `${at} : ${backend.ip} . ${backend.port}`);
      elements.set(`hairpins ${backend.ip}`, `${backend.ip} . ${backend.ip}`);
    });
  }
  return { elements, draws };
}

/** The kernel's table as this program believes it to be; makes the commands that change it, Service by Service. */
export class ServiceTable {
  readonly #layout: NetworkLayout;
  readonly #byService = new Map<string, FrontElements>();
  /** How many Services hold an element: backends may serve several, and share their hairpin. */
  readonly #holders = new Map<string, number>();
  readonly #draws = new Set<number>();

  constructor(layout: NetworkLayout) {
    this.#layout = layout;
  }

  /** The commands after which the table shows `fronts` for a Service; '' when it does already. */
  replace(service: string, fronts: Iterable<Front>): string {
    const table = `ip ${tableName(this.#layout)}`;
    const before = this.#byService.get(service)?.elements ?? new Map<string, string>();
    const after = elementsOf(fronts);
    const lines = this.#newDraws(after.draws);
    for (const [key, element] of before)
      if (after.elements.get(key) !== element && this.#release(key))
        lines.push(`delete element ${table} ${mapOf(key)} { ${element} }`);
    for (const [key, element] of after.elements)
      if (before.get(key) !== element && this.#hold(key))
        lines.push(`add element ${table} ${mapOf(key)} { ${element} }`);
    if (after.elements.size === 0) this.#byService.delete(service);
    else this.#byService.set(service, after);
    return lines.map((line) => `${line}\n`).join('');
  }

  #newDraws(draws: ReadonlySet<number>): string[] {
    const table = `ip ${tableName(this.#layout)}`;
    const lines: string[] = [];
    for (const count of draws) {
      if (this.#draws.has(count)) continue;
      this.#draws.add(count);
      lines.push(
        `add chain ${table} draw${count}`,
        `add rule ${table} draw${count} meta mark set numgen random mod ${count} goto pick`,
        `add chain ${table} nodedraw${count}`,
        `add rule ${table} nodedraw${count} meta mark set numgen random mod ${count} goto nodepick`,
      );
    }
    return lines;
  }

  #hold(key: string): boolean {
    const holders = (this.#holders.get(key) ?? 0) + 1;
    this.#holders.set(key, holders);
    return holders === 1;
  }

  #release(key: string): boolean {
    const holders = (this.#holders.get(key) ?? 1) - 1;
    if (holders > 0) this.#holders.set(key, holders);
    else this.#holders.delete(key);
    return holders <= 0;
  }
}

const mapOf = (key: string): string => key.slice(0, key.indexOf(' '));

/** Marks are written as nft prints them. */
const markText = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
