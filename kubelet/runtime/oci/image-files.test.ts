// Which files of an image name its users: links are those of the container, wherever they lead on the host.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LINKS, readIdentityFiles } from './image-files.ts';

const USERS = 'app:x:1001:1001::/:/bin/sh\n';
let above: string;
let rootfs: string;
beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'image-files-'));
  rootfs = join(above, 'rootfs');
  mkdirSync(rootfs);
});
afterEach(() => rmSync(above, { recursive: true }));

function file(path: string, text = USERS): void {
  mkdirSync(dirname(join(rootfs, path)), { recursive: true });
  writeFileSync(join(rootfs, path), text);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(rootfs, path)), { recursive: true });
  symlinkSync(target, join(rootfs, path));
}

const users = () => readIdentityFiles(rootfs).passwd;

describe('The users of an image', () => {
  it('are in /etc/passwd, or where that leads in the container', () => {
    expect(users()).toBe('');
    file('store/users');
    link('etc/passwd', '../store/users');
    expect(users()).toBe(USERS);
    rmSync(join(rootfs, 'etc'), { recursive: true });
    link('etc/passwd', '/store/users');
    expect(users()).toBe(USERS);
    rmSync(join(rootfs, 'etc'), { recursive: true });
    file('conf/passwd', 'of:conf');
    link('etc', '/conf');
    expect(users()).toBe('of:conf');
  });

  it('are never the host’s, though a link names its files or leads above the root', () => {
    writeFileSync(join(above, 'passwd'), 'of:the-host');
    link('etc/passwd', join(above, 'passwd'));
    expect(users()).toBe('');
    rmSync(join(rootfs, 'etc'), { recursive: true });
    link('etc/passwd', '../../../../passwd');
    expect(users()).toBe('');
    file('passwd', 'of:the-image');
    expect(users()).toBe('of:the-image');
  });

  it('are not looked for in a circle of links, nor along more than the kernel follows', () => {
    link('etc/passwd', 'passwd');
    expect(users()).toBe('');
    rmSync(join(rootfs, 'etc/passwd'));
    file('etc/end');
    link('etc/passwd', '1');
    for (let i = 1; i < MAX_LINKS; i++) link(`etc/${i}`, i + 1 < MAX_LINKS ? `${i + 1}` : 'end');
    expect(users()).toBe(USERS);
    rmSync(join(rootfs, 'etc/passwd'));
    link('etc/0', '1');
    link('etc/passwd', '0');
    expect(users()).toBe('');
  });
});
