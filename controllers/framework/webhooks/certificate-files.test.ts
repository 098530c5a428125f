// Certificates in files that somebody else writes: as kubelets mount Secrets, and as people copy files.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CertificateIssuer, type KeyPair, makeAuthority } from '../../../base/certificates.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { until } from '../../../test/support/until.ts';
import { certificatesInFiles } from './certificate-files.ts';
import type { ServedCertificate } from './certificate-source.ts';

let [first, second]: KeyPair[] = [];
beforeAll(async () => {
  const authority = await makeAuthority('test', { clock: systemClock });
  const issuer = await CertificateIssuer.of(authority, systemClock);
  [first, second] = await Promise.all(
    ['first', 'second'].map((commonName) => issuer.issue({ commonName, usage: 'server' })),
  );
});

let folder: string;
let stop: AbortController;
let running: Promise<void> | undefined;
const told: ServedCertificate[] = [];
const failures: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-webhook-files-'));
  stop = new AbortController();
  told.length = 0;
  failures.length = 0;
});
afterEach(async () => {
  stop.abort();
  await running;
  rmSync(folder, { recursive: true });
});

function run(below: string, ca?: string): void {
  const at = (name: string) => join(folder, below, name);
  const note = (_: string, fields: object = {}) =>
    void failures.push(String((fields as { why?: string }).why));
  running = certificatesInFiles({
    cert: at('tls.crt'),
    key: at('tls.key'),
    ca: ca && at(ca),
    clock: systemClock,
    logger: { ...silentLogger, error: note },
  }).run((served) => told.push(served), stop.signal);
}
/** Everything at once, as a kubelet does: a new folder, to which a link is turned. */
function mount(version: string, pair: KeyPair, ca: string): void {
  mkdirSync(join(folder, version));
  const files = { 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': ca };
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, version, name), text);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

describe('certificates in files', () => {
  it('are served as they are, and again when a mount is turned over', async () => {
    mount('..1', first!, 'ca 1');
    for (const name of ['tls.crt', 'tls.key', 'ca.crt'])
      symlinkSync(join('..data', name), join(folder, name));
    run('', 'ca.crt');
    await until(() => told.length === 1);
    expect(told[0]).toEqual({ certificate: first, caBundle: 'ca 1' });
    mount('..2', second!, 'ca 2');
    await until(() => told.length === 2);
    expect(told[1]).toEqual({ certificate: second, caBundle: 'ca 2' });
    expect(failures).toEqual([]);
  });

  it('are not told while the one file is new and the other is old', async () => {
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('tls.crt', first!.cert);
    write('tls.key', first!.key);
    run('');
    await until(() => told.length === 1);
    expect(told[0]?.caBundle).toBeUndefined();
    write('tls.crt', second!.cert);
    await until(() =>
      failures.some((why) => why.includes('does not belong to the certificate in')),
    );
    write('tls.key', second!.key);
    await until(() => told.length === 2);
    expect(told.map(({ certificate }) => certificate)).toEqual([first, second]);
  });

  it('are waited for where they are not there yet, and followed from then on', async () => {
    run('later');
    await until(() => failures.some((why) => why.includes('ENOENT')));
    mkdirSync(join(folder, 'later'));
    writeFileSync(join(folder, 'later', 'tls.key'), first!.key);
    writeFileSync(join(folder, 'later', 'tls.crt'), first!.cert);
    await until(() => told.length === 1);
    writeFileSync(join(folder, 'later', 'tls.crt.new'), second!.cert);
    writeFileSync(join(folder, 'later', 'tls.key'), second!.key);
    renameSync(join(folder, 'later', 'tls.crt.new'), join(folder, 'later', 'tls.crt'));
    await until(() => told.length === 2);
  });
});
