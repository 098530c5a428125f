// Kubeconfigs: what is written can be read; what cannot work is refused with the reason.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { CredentialSource } from '../transport/credentials.ts';
import { loadKubeconfig, parseKubeconfig, writeKubeconfig } from './kubeconfig.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n';
const written = {
  name: 'pinnace',
  server: 'https://127.0.0.1:6443',
  ca: PEM,
  user: 'admin',
  clientCert: PEM,
  clientKey: KEY,
};

const file = (parts: { cluster?: string; user?: string; context?: string; head?: string }) => `
${parts.head ?? 'current-context: here'}
clusters: [{name: c, cluster: {${parts.cluster ?? 'server: "https://h:1"'}}}]
users: [{name: u, user: {${parts.user ?? ''}}}]
contexts:
  - {name: here, context: {${parts.context ?? 'cluster: c, user: u'}}}
  - {name: there, context: {cluster: c, namespace: shop}}
`;

describe('kubeconfig', () => {
  it('reads back what it writes', async () => {
    const resolved = await parseKubeconfig(writeKubeconfig(written), '/');
    expect(resolved).toEqual({
      context: 'pinnace',
      cluster: 'pinnace',
      namespace: 'default',
      transport: {
        server: written.server,
        ca: PEM,
        clientCert: PEM,
        clientKey: KEY,
      },
    });
  });

  it('writes a token and a namespace where given, and nothing where not', async () => {
    const text = writeKubeconfig({
      name: 'n',
      server: 'https://h:1',
      user: 'u',
      token: 't',
      namespace: 's',
    });
    expect(await parseKubeconfig(text, '/')).toEqual({
      context: 'n',
      cluster: 'n',
      namespace: 's',
      transport: { server: 'https://h:1', token: 't' },
    });
    expect(text).not.toMatch(/certificate|key/);
  });

  it('takes another context than the current one when asked to', async () => {
    const resolved = await parseKubeconfig(file({}), '/', { context: 'there' });
    expect(resolved).toMatchObject({ context: 'there', namespace: 'shop' });
  });

  it('reads the files it names, relative to its own directory', async () => {
    const asked: string[] = [];
    const resolved = await parseKubeconfig(
      file({
        cluster: 'server: "https://h:1", certificate-authority: pki/ca.crt',
        user: 'client-certificate: /abs/me.crt, client-key: me.key, tokenFile: token',
      }),
      '/home/me/.kube',
      {
        read: (path) => {
          asked.push(path);
          return Promise.resolve(path.endsWith('token') ? 'abc\n' : PEM);
        },
      },
    );
    expect(asked).toEqual([
      '/home/me/.kube/pki/ca.crt',
      '/abs/me.crt',
      '/home/me/.kube/me.key',
      '/home/me/.kube/token',
    ]);
    expect(resolved.transport).toMatchObject({ ca: PEM });
  });

  it('reads the token file anew after a minute or a refusal, and before an inline token', async () => {
    let token = 'first';
    const clock = new VirtualClock();
    const read = () => Promise.resolve(`${token}\n`);
    const text = file({ user: 'token: inline, tokenFile: t' });
    const { transport } = await parseKubeconfig(text, '/', { read, clock });
    const source = transport.credentials as CredentialSource;
    expect(await source.current()).toEqual({ token: 'first' });
    token = 'second';
    expect(await source.current()).toEqual({ token: 'first' });
    await clock.advance(60_000);
    expect(await source.current()).toEqual({ token: 'second' });
    token = 'third';
    source.refused(await source.current());
    expect(await source.current()).toEqual({ token: 'third' });
  });

  it('acts as somebody else where it says so', async () => {
    const user = 'token: t, as: ann, as-uid: "7", as-groups: [a, b], as-user-extra: {team: [x]}';
    const { transport } = await parseKubeconfig(file({ user }), '/');
    expect(transport.impersonate).toEqual({
      username: 'ann',
      uid: '7',
      groups: ['a', 'b'],
      extra: { team: ['x'] },
    });
  });

  it('takes several files together: what is set first counts, and paths start at their own file', async () => {
    const files: Record<string, string> = {
      '/a/config': 'contexts: [{name: there, context: {cluster: c, user: u, namespace: first}}]',
      '/b/config': `${file({ head: 'current-context: there', user: 'tokenFile: t' })}`,
      '/b/t': 'from-b',
    };
    const read = (path: string) => {
      const gone = Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return files[path] === undefined ? Promise.reject(gone) : Promise.resolve(files[path]);
    };
    const paths = ['/gone/config', '/a/config', '/b/config'];
    const { namespace, transport } = await loadKubeconfig(paths, { read });
    expect(namespace).toBe('first');
    expect(await transport.credentials?.current()).toEqual({ token: 'from-b' });
    await expect(loadKubeconfig(['/x', '/y'], { read })).rejects.toThrow(
      'kubeconfig /x:/y: there is no such file',
    );
    const unknown = loadKubeconfig(paths, { read, context: 'z' });
    await expect(unknown).rejects.toThrow('no context is named "z"; there are: there, here, there');
  });

  it('tells a file that is not there, and what to do', async () => {
    await expect(loadKubeconfig('/nowhere/config')).rejects.toThrow(
      'kubeconfig /nowhere/config: there is no such file; name another, or set KUBECONFIG',
    );
  });

  it('passes on that certificates are not to be checked', async () => {
    const cluster = 'server: "https://h:1", insecure-skip-tls-verify: true';
    const { transport } = await parseKubeconfig(file({ cluster }), '/');
    expect(transport.insecureSkipTlsVerify).toBe(true);
  });

  it.each([
    ['no YAML', 'a: [', /it is not YAML/],
    ['empty', '', /it is empty/],
    ['another kind', 'kind: Pod', /its kind is "Pod"/],
    [
      'without current context',
      file({ head: '' }),
      /current-context is not set; there are: here, there/,
    ],
    [
      'with an unknown user',
      file({ context: 'cluster: c, user: z' }),
      /no user is named "z"; there are: u/,
    ],
    [
      'with data that is no base64',
      file({ user: 'client-key-data: "-----BEGIN KEY-----"' }),
      /client-key-data is not base64; encode the PEM text, or name its file as client-key/,
    ],
    [
      'with a password',
      file({ user: 'username: u, password: p' }),
      /signs in by username, which is not supported: servers take no passwords/,
    ],
    [
      'with an auth provider',
      file({ user: 'auth-provider: {name: gcp}' }),
      /use the exec plugin that took its place/,
    ],
    ['with groups of nobody', file({ user: 'as-groups: [a]' }), /but no "as"/],
    ['with groups that are no list', file({ user: 'as: a, as-groups: b' }), /are lists of texts/],
    [
      'with an unknown context',
      file({ head: 'current-context: x' }),
      /no context is named "x"; there are: here, there/,
    ],
    [
      'with an unknown cluster',
      file({ context: 'cluster: z, user: u' }),
      /no cluster is named "z"; there are: c/,
    ],
    ['without a server', file({ cluster: '' }), /cluster "c" has no server/],
    [
      'with a proxy',
      file({ cluster: 'server: "https://h:1", proxy-url: "http://p:1"' }),
      /cluster "c" is reached through a proxy-url, which is not supported/,
    ],
    ['with a bad server', file({ cluster: 'server: h:1' }), /is no http\(s\) URL/],
    [
      'with a certificate and no key',
      file({ user: `client-certificate-data: ${Buffer.from(PEM).toString('base64')}` }),
      /only one of/,
    ],
    [
      'with data that is no PEM',
      file({ user: 'client-key-data: aGVsbG8=' }),
      /client-key-data is not PEM/,
    ],
    [
      'with a file that is not there',
      file({ user: 'client-key: /nowhere/k' }),
      /user "u": client-key: ENOENT/,
    ],
  ])('refuses a file that is %s', async (_, text, message) => {
    await expect(parseKubeconfig(text, '/')).rejects.toMatchObject({
      name: 'KubeconfigError',
      message: expect.stringMatching(message) as string,
    });
  });
});
