// Kubeconfigs: what is written can be read; what cannot work is refused with the reason.
import { describe, expect, it } from 'vitest';
import { parseKubeconfig, writeKubeconfig } from './kubeconfig.ts';

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

  it('reads the token file anew for each use, and before an inline token', async () => {
    let token = 'first';
    const { transport } = await parseKubeconfig(
      file({ user: 'token: inline, tokenFile: t' }),
      '/',
      {
        read: () => Promise.resolve(`${token}\n`),
      },
    );
    const ask = transport.token as () => Promise<string>;
    expect(await ask()).toBe('first');
    token = 'second';
    expect(await ask()).toBe('second');
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
    ['without current context', file({ head: '' }), /current-context is not set/],
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
      'with an exec plugin',
      file({ user: 'exec: {command: x}' }),
      /signs in by exec, which is not supported/,
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
