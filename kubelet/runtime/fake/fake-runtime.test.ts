// The fake runtime keeps the contract that real runtimes keep.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { type Behaviour, runtimeContract } from '../../../test/contracts/runtime.ts';
import { FakeImageStore } from './fake-images.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { fileLogs } from './log-writer.ts';
import type { Life } from './life.ts';

function lifeOf(behaviour: Behaviour): Life {
  switch (behaviour.kind) {
    case 'obedient':
      return { exitCode: behaviour.exitCode, log: ['ready'] };
    case 'stubborn':
      return { stubborn: true, log: ['ready'] };
    case 'ends':
      return {
        exitAfterMs: 1,
        exitCode: behaviour.exitCode,
        log: [behaviour.log],
        message: behaviour.message,
      };
    case 'broken':
      return { broken: { reason: 'StartError', message: 'no such program' } };
  }
}

runtimeContract('fake', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-fake-'));
  const images = new FakeImageStore();
  const image = images.add('test');
  const lives = new Map<string, Life>();
  const runtime = new FakeRuntime({
    clock: systemClock,
    images,
    logs: fileLogs,
    lifeOf: (config) => lives.get(config.command[0] ?? '') ?? {},
  });
  return {
    runtime,
    netnsPath: undefined,
    container: (behaviour) => {
      const name = `life-${lives.size}`;
      lives.set(name, lifeOf(behaviour));
      return { imageId: image.id, command: [name] };
    },
    logPath: (name) => join(folder, `${name}.log`),
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
});
