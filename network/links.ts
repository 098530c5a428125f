// Links of this process's own network namespace, asked of the kernel by `ip`: /sys may show another namespace's.
import type { System } from '../system/system.ts';

/** Names of all links. */
export async function linkNames(system: System): Promise<string[]> {
  const { stdout } = await system.run('ip', ['-j', 'link', 'show']);
  return (JSON.parse(stdout || '[]') as { ifname: string }[]).map((link) => link.ifname);
}
