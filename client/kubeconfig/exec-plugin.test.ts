// Exec plugins as real programs: what they are told, how long their credentials last, and every way they go wrong.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { CredentialSource } from '../transport/credentials.ts';
import { MIN_RENEWAL_PAUSE_MS } from './exec-plugin.ts';
import { parseKubeconfig } from './kubeconfig.ts';

const V1 = 'client.authentication.k8s.io/v1';
const NOW = Date.parse('2026-01-01T00:00:00Z');

let folder: string;
let clock: VirtualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exec-plugin-'));
  clock = new VirtualClock(NOW);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Longer than any plugin takes here, however busy the host is. */
const PATIENCE_MS = 60_000;

/** A plugin of that shell script, as `./plugin` beside the kubeconfig. */
async function aSource(
  script: string,
  more: object = {},
  execTimeoutMs = PATIENCE_MS,
): Promise<CredentialSource> {
  writeFileSync(join(folder, 'plugin'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'plugin'), 0o755);
  const exec = { apiVersion: V1, command: './plugin', interactiveMode: 'Never', ...more };
  const file = {
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: 'https://h:1', 'tls-server-name': 'n' } }],
    users: [{ name: 'u', user: { exec } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  };
  const choice = { clock, execTimeoutMs };
  const { transport } = await parseKubeconfig(JSON.stringify(file), folder, choice);
  return transport.credentials as CredentialSource;
}

/** Counts its runs, and gives tokens t1, t2, … that last `seconds`. */
function counting(seconds?: number): string {
  const expires = seconds && new Date(NOW + seconds * 1000).toISOString();
  const status = `"token": "t'$n'"${expires ? `, "expirationTimestamp": "${expires}"` : ''}`;
  const count = `echo x >> ${folder}/runs; n=$(wc -l < ${folder}/runs | tr -d ' ')`;
  return `${count}; echo '{"apiVersion": "${V1}", "kind": "ExecCredential", "status": {${status}}}'`;
}
const saying = (object: object) => `echo '${JSON.stringify(object)}'`;
const credential = (status: object) => saying({ apiVersion: V1, kind: 'ExecCredential', status });

describe('a plugin', () => {
  it('runs once for many requests, and again once its token expires', async () => {
    const source = await aSource(counting(60));
    const all = await Promise.all([source.current(), source.current(), source.current()]);
    expect(all.map(({ token }) => token)).toEqual(['t1', 't1', 't1']);
    await clock.advance(49_000);
    expect((await source.current()).token).toBe('t1');
    await clock.advance(1_000);
    expect((await source.current()).token).toBe('t2');
  });

  it('runs again once a server refuses what it gave, but not at once', async () => {
    const source = await aSource(counting());
    const first = await source.current();
    source.refused(first);
    expect(await source.current()).toBe(first);
    await clock.advance(MIN_RENEWAL_PAUSE_MS);
    source.refused({ token: 'another' });
    expect(await source.current()).toBe(first);
    source.refused(first);
    expect((await source.current()).token).toBe('t2');
  });

  it('may give a certificate', async () => {
    const status = { clientCertificateData: 'CERT', clientKeyData: 'KEY' };
    const source = await aSource(credential(status));
    expect(await source.current()).toEqual({ clientCert: 'CERT', clientKey: 'KEY' });
  });

  it('is told who asks, has its arguments and variables, and the environment of this process', async () => {
    const told = join(folder, 'told');
    const script = `echo "$KUBERNETES_EXEC_INFO" > ${told}; echo "$1 $2 $MINE \${PATH:+path}" >> ${told}`;
    const source = await aSource(`${script}; ${credential({ token: 't' })}`, {
      args: ['a', 'b c'],
      env: [{ name: 'MINE', value: 'm' }],
      provideClusterInfo: true,
    });
    await source.current();
    const [info = '', rest] = readFileSync(told, 'utf8').split('\n');
    expect(rest).toBe('a b c m path');
    expect(JSON.parse(info)).toEqual({
      apiVersion: V1,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://h:1', 'tls-server-name': 'n' } },
    });
  });

  it.each([
    [
      'fails',
      'echo "no session" >&2; exit 3',
      /exit code 3 \(no session\); run ".*plugin" by hand/,
    ],
    ['says nothing', 'true', /answered "" instead of an ExecCredential in JSON/],
    ['says nonsense', 'echo hello', /answered "hello" instead of an ExecCredential in JSON/],
    ['floods', 'yes', /more than 1048576 bytes of output/],
    ['says something else', saying({ kind: 'Pod' }), /answered "Pod" of "undefined", not an/],
    ['gives nothing', credential({}), /neither a token nor a certificate; sign in/],
    ['gives no key', credential({ clientCertificateData: 'C' }), /a certificate needs its key/],
    [
      'gives what has expired',
      credential({ token: 't', expirationTimestamp: '2025-12-31T00:00:00Z' }),
      /expired at 2025-12-31T00:00:00.000Z; sign in anew/,
    ],
    [
      'gives no time',
      credential({ token: 't', expirationTimestamp: 'soon' }),
      /expirationTimestamp "soon", which is no time/,
    ],
  ])('that %s is told, with what to do', async (_, script, message) => {
    const source = await aSource(script);
    await expect(source.current()).rejects.toMatchObject({
      name: 'KubeconfigError',
      message: expect.stringMatching(message) as string,
    });
  });

  it('that hangs is told, with what to do', async () => {
    const source = await aSource('exec sleep 1000', {}, 100);
    const message = /gave no answer: .*did not end within 100 ms/;
    await expect(source.current()).rejects.toMatchObject({
      name: 'KubeconfigError',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['is not there', { command: 'no-such-plugin', installHint: 'get it at x' }, /get it at x/],
    ['is in a folder that is not there', { command: './bin/none' }, /is not on this host/],
  ])('that %s is told when it is needed', async (_, more, message) => {
    const source = await aSource('true', more);
    await expect(source.current()).rejects.toThrow(message);
  });

  it.each([
    ['an unknown version', { apiVersion: 'client.authentication.k8s.io/v1alpha1' }, /update the/],
    ['a terminal', { interactiveMode: 'Always' }, /but a program has no terminal/],
    ['no command', { command: '' }, /exec of user "u" has no command; add it/],
    ['arguments that are no texts', { args: [1] }, /args is not a list of texts/],
    ['variables that are no texts', { env: [{ name: 'a' }] }, /env is not a list/],
  ])('with %s is refused when the file is read', async (_, more, message) => {
    await expect(aSource('true', more)).rejects.toThrow(message);
  });
});
