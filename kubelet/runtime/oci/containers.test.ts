// Processes that the kernel does not end: whoever waits for them is told, and is not kept busy meanwhile.
import { expect, it } from 'vitest';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import type { System } from '../../../system/system.ts';
import { endProcessesOf } from './containers.ts';

it('runc that hangs on a disk is waited for so long and no longer, and seldom looked for', async () => {
  const clock = new VirtualClock();
  let looks = 0;
  const list = () => {
    looks += 1;
    return ['1', '42'];
  };
  const read = (path: string) => (path === '/proc/42/cmdline' ? '/usr/sbin/runc\0create\0c1' : '');
  const system = { list, read, kill: () => true } as unknown as System;
  const ending = endProcessesOf({ system, clock }, 'c1');
  const told = expect(ending).rejects.toThrow('runc of c1 did not end after SIGKILL');
  await clock.advance(60_000);
  await told;
  expect(looks).toBeLessThan(50);
});
