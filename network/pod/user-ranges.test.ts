// Ranges of user ids of pods' own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRecordingSystem } from '../../system/recording.ts';
import { linkName, type NetworkLayout } from '../layout.ts';
import { RoutedPodNetwork } from './routed-pod-network.ts';
import { usersOf } from './user-ranges.ts';

it('each address has a range of its own, above the host’s users and within what the kernel counts', () => {
  expect(usersOf('10.244.0.2')).toEqual({ hostId: 131_072, size: 65_536 });
  expect(usersOf('10.244.1.2').hostId - usersOf('10.244.0.254').hostId).toBe(4 * 65_536);
  expect(usersOf('10.244.0.0').hostId).toBe(65_536);
  const { hostId, size } = usersOf('10.244.255.254');
  expect(hostId + size).toBeLessThan(2 ** 32);
});

it('a pod’s network is made with its users once, and an agent that comes back finds the same', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'pinnace-users-'));
  try {
    const system = createRecordingSystem();
    const layout: NetworkLayout = {
      clusterId: 'abcdef',
      podCidr: '10.244.0.0/16',
      nodePodCidr: '10.244.0.0/24',
      serviceCidr: '10.96.0.0/16',
      nodeIp: '10.244.255.1',
      dnsIp: '10.96.0.10',
      dnsPort: 10_053,
    };
    const made = await new RoutedPodNetwork({ system, layout, stateDir }).setUp('a', {
      ownUsers: true,
    });
    expect(made.users).toEqual(usersOf(made.ip));
    expect(system.userNetworks).toEqual([{ path: made.netnsPath, users: made.users }]);
    system.write(made.netnsPath, '');
    system.write(`/proc/sys/net/ipv4/conf/${linkName(layout, made.ip)}/route_localnet`, '1');
    const later = new RoutedPodNetwork({ system, layout, stateDir });
    expect(await later.setUp('a', { ownUsers: true })).toMatchObject({ users: made.users });
    expect(system.userNetworks).toHaveLength(1);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
});
