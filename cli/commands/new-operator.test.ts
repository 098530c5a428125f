// Names of new operators that cannot be, folders that are somebody's already: refused with what to write, and nothing is written.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandFailure } from './command-failure.ts';
import { newOperator, type NewOperatorFlags } from './new-operator.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'new-operator-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true });
});

const make = (name: string, flags: Partial<NewOperatorFlags> = {}) =>
  newOperator(name, { group: 'example.com', dir: join(place, 'made'), ...flags });

describe('pinnace new operator', () => {
  it.each([
    ['Shop', {}, 'an operator cannot be called "Shop": a DNS-1035 label'],
    ['../x', {}, 'an operator cannot be called "../x"'],
    ['a'.repeat(64), {}, 'no more than 63 bytes'],
    ['shop', { kind: 'shop' }, 'letters and digits, the first one a capital'],
    ['shop', { kind: 'Shop-2' }, 'letters and digits, the first one a capital'],
    ['deployment-operator', {}, '"Deployment" means something else already; --kind names another'],
    ['shop', { kind: 'Promise' }, '"Promise" means something else already'],
    ['object-of', {}, '"ObjectOf" means something else already'],
    ['shop', { kind: `S${'h'.repeat(70)}op` }, 'must be no more than 63 bytes'],
    ['shop', { group: 'Example.com' }, 'group: Invalid value: "Example.com"'],
    ['shop', { group: 'shop' }, 'a domain with at least one dot'],
    ['shop', { group: 'shop.k8s.io' }, 'api-approved.kubernetes.io'],
  ])('refuses %s with %j, and writes nothing', async (name, flags, message) => {
    const asked = make(name, flags);
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(CommandFailure);
    expect(readdirSync(place)).toEqual([]);
  });

  it('makes the kind of the name, and its plural by the rules of English', async () => {
    await make('backup-policy-controller');
    expect(readdirSync(join(place, 'made', 'manifests'))).toContain(
      'backuppolicies.example.com.yaml',
    );
    expect(readFileSync(join(place, 'made', 'src', 'main.ts'), 'utf8')).toContain(
      "import { BackupPolicies } from './kind.ts';",
    );
  });

  it('takes an empty folder, and none that has something in it', async () => {
    const dir = join(place, 'mine');
    mkdirSync(dir);
    await make('shop', { dir });
    const made = readdirSync(dir);
    await expect(make('shop', { dir })).rejects.toThrow('is not empty (there is .gitignore)');
    expect(readdirSync(dir)).toEqual(made);
    const file = join(place, 'file');
    writeFileSync(file, '');
    await expect(make('shop', { dir: file })).rejects.toThrow('is a file; --dir names a folder');
  });
});
