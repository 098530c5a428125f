// Counters of links, from /proc/net/dev (proc(5)), and which link the host's others go by. Pure.
// Invariant: a pod's figures are told as the pod sees them: what its link on the host receives, the pod has sent.

/** What went over one link since it was made. */
export interface LinkFigures {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** All links of a namespace, by name. */
export function parseLinks(text: string): ReadonlyMap<string, LinkFigures> {
  const links = new Map<string, LinkFigures>();
  for (const line of text.split('\n')) {
    const [, name, rest] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, ...others] = rest
      .split(/\s+/)
      .map(Number);
    // fifo, frame, compressed and multicast come between.
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = others.slice(4);
    const received = { rxBytes, rxPackets, rxErrors, rxDropped };
    links.set(name, { name, ...received, txBytes, txPackets, txErrors, txDropped });
  }
  return links;
}

const NO_ADDRESS = /^0+$/;

/**
 * The links, the one that the default route goes by first: that of IPv4 from /proc/net/route, else that of IPv6 from
 * /proc/net/ipv6_route. Among several the kernel takes the one of the lowest metric, and so does this.
 */
export function defaultFirst(
  links: readonly LinkFigures[],
  routes: { readonly v4: string; readonly v6: string },
): readonly LinkFigures[] {
  const v4 = fieldsOf(routes.v4)
    .filter(([, destination = '', , , , , , mask = '']) =>
      [destination, mask].every((each) => NO_ADDRESS.test(each)),
    )
    .map(([name = '', , , , , , metric = '']) => ({ name, metric: Number(metric) }));
  const v6 = fieldsOf(routes.v6)
    .filter(([destination = '', bits]) => NO_ADDRESS.test(destination) && bits === '00')
    .map(([, , , , , metric = '', , , , name = '']) => ({ name, metric: parseInt(metric, 16) }));
  for (const routed of [v4, v6])
    for (const { name } of routed.toSorted((a, b) => a.metric - b.metric)) {
      const first = links.find((link) => link.name === name);
      if (first) return [first, ...links.filter((link) => link !== first)];
    }
  return links;
}

const fieldsOf = (text: string): string[][] =>
  text.split('\n').map((line) => line.trim().split(/\s+/));

/** The other end of a link, under the name that it has there. */
export function otherEnd(link: LinkFigures, name: string): LinkFigures {
  return {
    name,
    rxBytes: link.txBytes,
    rxPackets: link.txPackets,
    rxErrors: link.txErrors,
    rxDropped: link.txDropped,
    txBytes: link.rxBytes,
    txPackets: link.rxPackets,
    txErrors: link.rxErrors,
    txDropped: link.rxDropped,
  };
}
