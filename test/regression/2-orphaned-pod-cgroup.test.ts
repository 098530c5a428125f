// An agent that was killed while a pod's cgroup was being removed had forgotten the pod already, and nobody removed the cgroup.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layoutFor, type Layout } from '../../kubelet/runtime/oci/layout.ts';
import { Records } from '../../kubelet/runtime/oci/records.ts';
import { destroySandbox } from '../../kubelet/runtime/oci/sandboxes.ts';
import type { Context } from '../../kubelet/runtime/oci/context.ts';
import { systemClock } from '../../base/clock.ts';
import { createRecordingSystem } from '../../system/recording.ts';
import { aSandbox } from '../contracts/runtime.ts';

let folder: string;
let layout: Layout;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-sandbox-'));
  layout = layoutFor(folder, 'orphan');
  for (const path of [layout.sandboxes, layout.containers]) mkdirSync(path, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is known until its cgroup is gone', async () => {
  const system = createRecordingSystem();
  const records = new Records(system, layout);
  const id = 'a'.repeat(32);
  mkdirSync(layout.sandbox(id).root);
  const config = aSandbox('a', {});
  const record = records.putSandbox({ id, config, createdAtMs: 0, state: 'ready' });
  let busy = true;
  const remove = () => {
    if (busy) throw new Error('EBUSY');
  };
  const cgroups = { remove, killAll: () => undefined };
  const context = { records, layout, cgroups, system, clock: systemClock } as unknown as Context;
  await expect(destroySandbox(context, record)).rejects.toThrow('EBUSY');
  const next = new Records(system, layout);
  next.load();
  expect([...next.sandboxes.keys()]).toEqual([id]);
  busy = false;
  await destroySandbox({ ...context, records: next }, record);
  next.load();
  expect(new Records(system, layout).load()).toEqual({ brokenContainers: [], brokenSandboxes: [] });
  expect(next.sandboxes.size).toBe(0);
});
