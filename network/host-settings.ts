// Host settings that the network needs, remembered as they were.
// Invariant: a setting is recorded before it is changed, and put back only when no cluster on this host needs it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../system/system.ts';
import { TABLE_PREFIX } from './layout.ts';

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';

/** Turns packet forwarding on. */
export function applyHostSettings(system: System, stateDir: string): void {
  const before = system.read(IP_FORWARD)?.trim() ?? '0';
  if (before === '1') return;
  mkdirSync(stateDir, { recursive: true });
  const record = join(stateDir, 'host-settings.json');
  if (!existsSync(record)) writeFileSync(record, JSON.stringify({ [IP_FORWARD]: before }));
  system.write(IP_FORWARD, '1');
}

/** Puts back what applyHostSettings changed, unless another cluster still runs on this host. */
export async function restoreHostSettings(system: System, stateDir: string): Promise<void> {
  const record = join(stateDir, 'host-settings.json');
  if (!existsSync(record)) return;
  const { stdout } = await system.run('nft', ['list', 'tables']);
  if (!stdout.includes(TABLE_PREFIX)) {
    const before = JSON.parse(readFileSync(record, 'utf8')) as Record<string, string>;
    for (const [path, value] of Object.entries(before)) system.write(path, value);
  }
  rmSync(record);
}
