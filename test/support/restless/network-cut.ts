// Cuts the network between a test cluster's API server and everybody who comes by its port: the node agent, kubectl, pods.
// Control plane and containers go on. Invariant: a cut ends with `mend`, at the latest with the cluster's namespace.
import type { TestCluster } from '../cluster.ts';

const TABLE = 'cut';

/** Nobody answers, or connections are refused and reset. */
export type CutKind = 'silent' | 'reset';

/** Cuts it; the answer mends it. */
export async function cutNetwork(
  { host, facts }: TestCluster,
  how: CutKind,
): Promise<() => Promise<void>> {
  const verdict = how === 'silent' ? 'drop' : 'reject with tcp reset';
  const table = `table inet ${TABLE} {
    chain cut {
      type filter hook input priority -300;
      tcp dport ${facts.port} ${verdict}
    }
  }
`;
  await must(host.run('nft', ['-f', '-'], { input: table }));
  return async () => must(host.run('nft', ['delete', 'table', 'inet', TABLE]));
}

async function must(running: Promise<{ code: number; stderr: string }>): Promise<void> {
  const { code, stderr } = await running;
  if (code !== 0) throw new Error(`nft: ${stderr}`);
}
