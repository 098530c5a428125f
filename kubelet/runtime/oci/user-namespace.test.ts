// What is shown to a pod with users of its own is the image's and the host's: none of it goes with the container.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLinuxSystem } from '../../../system/linux.ts';
import { removeMapped } from './user-namespace.ts';

it('what is mounted twice keeps its files, and goes with the next try', () => {
  const system = createLinuxSystem();
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-mapped-'));
  const [layer, mapped] = [join(folder, 'layer'), join(folder, 'mapped')];
  const target = join(mapped, 'v0');
  for (const path of [layer, target]) mkdirSync(path, { recursive: true });
  writeFileSync(join(layer, 'file'), 'precious');
  writeFileSync(join(mapped, 'v1'), '');
  try {
    for (let i = 0; i < 2; i++) system.mount({ source: layer, target, flags: ['bind'] });
    expect(() => removeMapped({ system }, mapped)).toThrow(/EBUSY|ENOTEMPTY/);
    expect(existsSync(join(layer, 'file'))).toBe(true);
    removeMapped({ system }, mapped);
    expect(existsSync(mapped)).toBe(false);
  } finally {
    for (let i = 0; i < 2; i++) system.unmount(target);
    rmSync(folder, { recursive: true, force: true });
  }
});
