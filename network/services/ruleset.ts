// The text of the nftables table: its fixed part, and the difference between two sets of fronts. Pure.
// Two maps carry everything: front -> chain that draws a number, (front, number) -> backend. No chain per endpoint.
// Where clients keep their backend (sessionAffinity: ClientIP), numbers stand for backends and not for places in a list, and
// the kernel itself remembers (client, front) -> number.
// Invariant: applying a difference to the state it was made from gives exactly the new state; one transaction each.
import { linkPrefix, type NetworkLayout, nodeDevice, tableName } from '../layout.ts';
import type { Front } from './rows.ts';

/** What one Service's fronts come to: element key -> `map element`, and the chains that they lead to with their rules. */
export interface FrontElements {
  readonly elements: ReadonlyMap<string, string>;
  /** A chain stands after those that its own rules lead to. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

/** Clients that are remembered, for addresses and for node ports; those beyond are served by any backend, each time. */
export const MAX_AFFINITIES = 65_536;

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

/** What the fronts are put into. */
const MAPS = `  map fronts {
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
  map identities {
    type ipv4_addr . inet_proto . inet_service . mark : mark
  }
  map nodeidentities {
    type inet_proto . inet_service . mark : mark
  }
  map affinity {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark
    flags dynamic,timeout
    timeout 3h
    size ${MAX_AFFINITIES}
  }
  map nodeaffinity {
    type ipv4_addr . inet_proto . inet_service : mark
    flags dynamic,timeout
    timeout 3h
    size ${MAX_AFFINITIES}
  }
  map hostports {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  map hostaddresses {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  set hairpins {
    type ipv4_addr . ipv4_addr
  }
`;

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
${MAPS}  chain pick {
    dnat ip to ip daddr . meta l4proto . th dport . meta mark map @backends
  }
  chain nodepick {
    dnat ip to meta l4proto . th dport . meta mark map @nodebackends
  }
  chain services {
    ip daddr . meta l4proto . th dport vmap @fronts
    fib daddr type local meta l4proto . th dport vmap @nodefronts
    fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @hostaddresses
    fib daddr type local dnat ip to meta l4proto . th dport map @hostports
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
  const chains = new Map<string, readonly string[]>();
  for (const front of fronts) {
    if (front.backends.length === 0) continue;
    const kind = front.ip ? '' : 'node';
    const key = `${front.ip ? `${front.ip} . ` : ''}${front.protocol} . ${front.port}`;
    if (front.ofHost) {
      addHostPort(elements, front, key);
      continue;
    }
    const chain = addChains(chains, front, kind);
    elements.set(`${kind}fronts ${key}`, `${key} : goto ${chain}`);
    const numbers = numbersOf(front);
    front.backends.forEach((backend, i) => {
      const number = numbers[i] ?? i;
      const at = `${key} . ${markText(number)}`;
      elements.set(`${kind}backends ${at}`, `${at} : ${backend.ip} . ${backend.port}`);
      elements.set(`hairpins ${backend.ip}`, `${backend.ip} . ${backend.ip}`);
      if (front.affinitySeconds === undefined) return;
      const drawn = `${key} . ${markText(i)}`;
      elements.set(`${kind}identities ${drawn}`, `${drawn} : ${markText(number)}`);
    });
  }
  return { elements, chains };
}

function addHostPort(elements: Map<string, string>, { ip, backends }: Front, key: string): void {
  const [backend] = backends;
  if (!backend) return;
  const map = ip ? 'hostaddresses' : 'hostports';
  elements.set(`${map} ${key}`, `${key} : ${backend.ip} . ${backend.port}`);
  elements.set(`hairpins ${backend.ip}`, `${backend.ip} . ${backend.ip}`);
}

/** Numbers of a front's backends: their places, or, where clients are remembered, what stays the same when others come and go. */
function numbersOf({ backends, affinitySeconds }: Front): readonly number[] {
  if (affinitySeconds === undefined) return backends.map((_, i) => i);
  const taken = new Set<number>();
  return backends.map(({ ip }) => {
    let number = ip.split('.').reduce((all, part) => all * 256 + Number(part), 0);
    // Several ports of one address are told apart.
    while (taken.has(number)) number += 1;
    taken.add(number);
    return number;
  });
}

/** Adds the chains that the front needs, and answers the one that it leads to. */
function addChains(
  chains: Map<string, readonly string[]>,
  { backends, affinitySeconds: seconds }: Front,
  kind: '' | 'node',
): string {
  const draw = `meta mark set numgen random mod ${backends.length}`;
  if (seconds === undefined) {
    const name = `${kind}draw${backends.length}`;
    chains.set(name, [`${draw} goto ${kind}pick`]);
    return name;
  }
  const front = `${kind === '' ? 'ip daddr . ' : ''}meta l4proto . th dport`;
  const client = `ip saddr . ${front}`;
  const remember = `update @${kind}affinity { ${client} timeout ${seconds}s : meta mark }`;
  const stuck = `${kind}stuck${seconds}`;
  chains.set(stuck, [remember, `goto ${kind}pick`]);
  const name = `${kind}stick${backends.length}for${seconds}`;
  chains.set(name, [
    // Comes back where the backend is gone. What is remembered cannot be changed, only taken away and made anew.
    `meta mark set ${client} map @${kind}affinity jump ${stuck}`,
    `delete @${kind}affinity { ${client} : meta mark }`,
    draw,
    `meta mark set ${front} . meta mark map @${kind}identities`,
    remember,
    `goto ${kind}pick`,
  ]);
  return name;
}

/** The kernel's table as this program believes it to be; makes the commands that change it, Service by Service. */
export class ServiceTable {
  readonly #layout: NetworkLayout;
  readonly #byService = new Map<string, FrontElements>();
  /** How many Services hold an element: backends may serve several, and share their hairpin. */
  readonly #holders = new Map<string, number>();
  readonly #chains = new Set<string>();

  constructor(layout: NetworkLayout) {
    this.#layout = layout;
  }

  /** The commands after which the table shows `fronts` for a Service; '' when it does already. */
  replace(service: string, fronts: Iterable<Front>): string {
    const table = `ip ${tableName(this.#layout)}`;
    const before = this.#byService.get(service)?.elements ?? new Map<string, string>();
    const after = elementsOf(fronts);
    const lines = this.#newChains(after.chains);
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

  #newChains(chains: FrontElements['chains']): string[] {
    const table = `ip ${tableName(this.#layout)}`;
    const lines: string[] = [];
    for (const [name, rules] of chains) {
      if (this.#chains.has(name)) continue;
      this.#chains.add(name);
      lines.push(`add chain ${table} ${name}`);
      lines.push(...rules.map((rule) => `add rule ${table} ${name} ${rule}`));
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
