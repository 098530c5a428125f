// What the supervisor promises about a child that is killed: it is started again, and nothing that it ran is left by then.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { until } from '../../test/support/until.ts';
import { RotatingFile } from './rotating-file.ts';
import { type ChildEvent, SupervisedChild } from './supervisor.ts';

/** Runs a program for ever, and names it by a file. */
const CHILD = `
const { spawn } = require('node:child_process');
const program = spawn('sleep', ['1000'], { stdio: 'ignore' });
require('node:fs').writeFileSync(process.argv[1] + '/' + program.pid, '');
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
`;

it('starts a killed child again once what it ran has ended too', async () => {
  const system = createLinuxSystem();
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-supervisor-'));
  const programs = () =>
    readdirSync(folder).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  const alive = (pid: number) => !/^[ZX]?$/.test(system.processState(pid) ?? '');
  const events: ChildEvent[] = [];
  const spec = {
    name: 'child',
    args: ['-e', CHILD, folder],
    log: new RotatingFile(join(folder, 'log')),
  };
  const child = new SupervisedChild(spec, {
    system,
    clock: systemClock,
    logger: silentLogger,
    onEvent: (event) => void events.push(event),
  });
  try {
    child.start();
    await until(() => programs().length === 1);
    const [first = 0] = programs();
    system.kill(child.pid ?? 0, 'SIGKILL');
    await until(() => programs().length === 2);
    await until(() => !alive(first));
    expect(programs().filter(alive)).toHaveLength(1);
    await child.stop();
    await until(() => programs().every((pid) => !alive(pid)));
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'exited', 'started', 'exited']);
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
