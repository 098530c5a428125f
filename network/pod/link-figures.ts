// Counters of links, from /proc/net/dev (proc(5)). Pure.
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
