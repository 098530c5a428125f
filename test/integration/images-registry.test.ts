// Images to and from Debian's docker-registry: by tag and by digest, pushed back as they came, for those who may.
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CertificateIssuer, makeAuthority } from '../../base/certificates.ts';
import { systemClock } from '../../base/clock.ts';
import { hostArchitecture } from '../../kubelet/images/image-config.ts';
import { OCI_MANIFEST } from '../../kubelet/images/manifest.ts';
import { PullError, type PullProgress } from '../../kubelet/runtime/runtime.ts';
import { startRegistry, type TestRegistry } from '../support/docker-registry.ts';
import { type ImageScene, imageScene } from '../support/image-scene.ts';

const scenes: ImageScene[] = [];
const scene = (settings: object = {}) => {
  const made = imageScene(settings);
  scenes.push(made);
  return made;
};
const { signal } = new AbortController();
afterEach(() => {
  for (const each of scenes.splice(0)) each.dispose();
});

describe('an open registry', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  it('gives by tag what was pushed to it, file by file, and has it pushed back under the same digest', async () => {
    const [from, to] = [scene(), scene()];
    const name = `${registry.host}/shop/app:1`;
    const built = await from.build(name);
    const digest = await from.push(name);
    const progress: PullProgress[] = [];
    const pulled = await to.store.pull(name, { signal, onProgress: (each) => progress.push(each) });
    expect(pulled).toMatchObject({
      id: built.id,
      names: [name],
      repoDigests: [`${registry.host}/shop/app@${digest}`],
      entrypoint: ['/app/main'],
    });
    const [top = ''] = to.store.layersOf(built.id);
    expect(readFileSync(join(top, 'app/a'), 'utf8')).toBe(name);
    expect(statSync(join(top, 'app/main')).mode & 0o7777).toBe(0o4755);
    expect(progress.at(-1)).toMatchObject({ layersDone: 2, layersTotal: 2 });
    expect(progress.at(-1)?.bytesDone).toBe(progress.at(-1)?.bytesTotal);
    expect(await to.push(name, { target: `${registry.host}/other/copy:2` })).toBe(digest);
    expect(to.left().filter((path) => /^(staging|leases)/.test(path))).toEqual([]);
  });

  it('gives by digest, and what is there already is not fetched again', async () => {
    const [from, to] = [scene(), scene()];
    const name = `${registry.host}/shop/by-digest:1`;
    await from.build(name);
    const digest = await from.push(name);
    const byDigest = `${registry.host}/shop/by-digest@${digest}`;
    const pulled = await to.store.pull(byDigest, { signal });
    expect(pulled).toMatchObject({ names: [], repoDigests: [byDigest] });
    expect((await to.store.resolve(byDigest))?.id).toBe(pulled?.id);
    const inodes = () => to.left().map((path) => statSync(join(to.folder, 'images', path)).ino);
    const blobs = inodes();
    const again = await to.store.pull(name, { signal });
    expect(again).toMatchObject({ id: pulled?.id, names: [name], repoDigests: [byDigest] });
    // The same files, but for records, a manifest and a configuration that are written anew: layers stay as they are.
    expect(inodes().filter((inode) => blobs.includes(inode)).length).toBeGreaterThanOrEqual(4);
  });

  it('has a tag that moved, and the old image keeps its digest', async () => {
    const [from, to] = [scene(), scene()];
    const name = `${registry.host}/shop/moving:latest`;
    await from.build(name, 'one');
    await from.push(name);
    const first = await to.store.pull(name, { signal });
    await from.build(name, 'two');
    await from.push(name);
    const second = await to.store.pull(name, { signal });
    expect(second?.id).not.toBe(first?.id);
    expect((await to.store.resolve(name))?.id).toBe(second?.id);
    expect((await to.store.resolve(first?.repoDigests[0] ?? ''))?.names).toEqual([]);
  });

  it('chooses from an index what is for this machine, or for the one that is named', async () => {
    const from = scene();
    const name = `${registry.host}/shop/many:1`;
    const built = await from.build(name);
    const digest = await from.push(name);
    const size = from.store.blobs.read(digest).length;
    const entry = (os: string, architecture: string) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size,
      platform: { os, architecture },
    });
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        entry('linux', 's390x'),
        entry('unknown', 'unknown'),
        entry('linux', hostArchitecture()),
      ],
    };
    const put = await fetch(`http://${registry.host}/v2/shop/many/manifests/all`, {
      method: 'PUT',
      headers: { 'content-type': index.mediaType },
      body: JSON.stringify(index),
    });
    expect(put.status).toBe(201);
    const all = `${registry.host}/shop/many:all`;
    const to = scene();
    const pulled = await to.store.pull(all, { signal });
    const indexDigest = put.headers.get('docker-content-digest');
    expect(pulled).toMatchObject({
      id: built.id,
      repoDigests: [`${registry.host}/shop/many@${indexDigest}`],
    });
    expect(await to.push(all, { target: `${registry.host}/shop/copy:1` })).toBe(digest);
    const platform = { os: 'linux', architecture: 'riscv64' };
    await expect(to.store.puller.pull(all, { signal, platform })).rejects.toThrow(
      /there is no image for linux\/riscv64; it is for linux\/\w+, linux\/s390x/,
    );
    // The configuration is for this machine, whatever the index says.
    const other = { os: 'linux', architecture: 's390x' };
    await expect(scene().store.puller.pull(all, { signal, platform: other })).rejects.toThrow(
      /the image is for linux/,
    );
  });

  it('says what it does not have', async () => {
    const to = scene();
    const pulling = to.store.pull(`${registry.host}/shop/none:1`, { signal });
    await expect(pulling).rejects.toMatchObject({
      name: 'PullError',
      reason: 'ErrImagePull',
      message: expect.stringMatching(
        /shop\/none:1: 127\.0\.0\.1:\d+ does not have it \(404: manifest unknown\)$/,
      ),
    });
    expect(to.left()).toEqual([]);
  });

  it('stands behind mirrors: one that is away or lacks the image is passed by', async () => {
    const from = scene();
    const name = `${registry.host}/shop/mirrored:1`;
    await from.build(name);
    await from.push(name);
    const empty = await startRegistry();
    const mirrors = ['http://127.0.0.1:9', `http://${empty.host}`];
    const to = scene({ registries: { [registry.host]: { mirrors } } });
    const pulled = await to.store.pull(name, { signal });
    expect(pulled?.names).toEqual([name]);
    const other = scene({
      registries: { '*': { mirrors: [`http://${registry.host}`], origin: false } },
    });
    const elsewhere = 'nowhere.invalid/shop/mirrored:1';
    expect((await other.store.pull(elsewhere, { signal }))?.id).toBe(pulled?.id);
    expect(
      scene({ registries: { '*': { origin: false } } }).store.pull(elsewhere, { signal }),
    ).toBe(undefined);
    await empty.stop();
  });
});

describe('a registry that asks who comes', () => {
  it('by password: gives to who has it, and says so to who has not', async () => {
    const registry = await startRegistry({ basic: true });
    const credential = { username: 'shop', password: 'sesame' };
    const from = scene({ registries: { [registry.host]: { credentials: credential } } });
    const name = `${registry.host}/shop/private:1`;
    await from.build(name);
    await from.push(name);
    const to = scene();
    await expect(to.store.pull(name, { signal })).rejects.toThrow(/access is denied \(401/);
    const wrong = { username: 'shop', password: 'open' };
    const failure = await to.store
      .pull(name, { signal, credentials: [wrong] })
      ?.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PullError);
    expect(String((failure as Error).message)).not.toContain('open');
    expect(to.left()).toEqual([]);
    const pulled = await to.store.pull(name, { signal, credentials: [wrong, credential] });
    expect(pulled?.names).toEqual([name]);
    await registry.stop();
  });

  it('by token: from its token server, for a password and for a refresh token', async () => {
    const authority = await makeAuthority('tokens', { clock: systemClock });
    const issuer = await CertificateIssuer.of(authority, systemClock);
    const leaf = await issuer.issue({ commonName: 'signer', usage: 'server' });
    const tokens = await tokenServer(leaf);
    const registry = await startRegistry({
      token: { realm: tokens.url, service: 'images', issuer: 'here', authority: authority.cert },
    });
    const name = `${registry.host}/shop/tokened:1`;
    const from = scene();
    await from.build(name);
    const credential = { username: 'shop', password: 'sesame' };
    await from.push(name, { credential });
    const to = scene();
    await expect(to.store.pull(name, { signal })).rejects.toThrow(/gives no token \(401\)/);
    for (const each of [credential, { identityToken: 'refresh-me' }]) {
      const into = scene();
      expect((await into.store.pull(name, { signal, credentials: [each] }))?.names).toEqual([name]);
    }
    expect(tokens.asked).toContain('GET repository:shop/tokened:pull');
    expect(tokens.asked).toContain('POST repository:shop/tokened:pull');
    await registry.stop();
    tokens.server.close();
  });

  it('over TLS: is trusted by its CA, not without, and whatever it shows where that is said', async () => {
    const authority = await makeAuthority('registry', { clock: systemClock });
    const issuer = await CertificateIssuer.of(authority, systemClock);
    const names = [{ type: 'ip', value: '127.0.0.1' }] as const;
    const tls = await issuer.issue({ commonName: 'leaf', usage: 'server', names });
    const registry = await startRegistry({ tls });
    const name = `${registry.host}/shop/secure:1`;
    const { folder } = scene();
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.cert);
    const trusting = scene({ registries: { [registry.host]: { ca } } });
    await trusting.build(name);
    await trusting.push(name);
    const careless = scene({ registries: { [registry.host]: { insecure: true } } });
    expect((await careless.store.pull(name, { signal }))?.names).toEqual([name]);
    const strict = scene({ registries: { [registry.host]: { plainHttp: false } } });
    await expect(strict.store.pull(name, { signal })).rejects.toMatchObject({
      reason: 'RegistryUnavailable',
      message: expect.stringContaining('its certificate or its TLS is not accepted'),
    });
    await registry.stop();
  });

  it('over TLS both ways: serves who shows a certificate of its authority, and nobody else', async () => {
    const authority = await makeAuthority('registry', { clock: systemClock });
    const issuer = await CertificateIssuer.of(authority, systemClock);
    const strange = await makeAuthority('registry', { clock: systemClock });
    const stranger = await CertificateIssuer.of(strange, systemClock);
    const names = [{ type: 'ip', value: '127.0.0.1' }] as const;
    const leaf = await issuer.issue({ commonName: 'leaf', usage: 'server', names });
    const registry = await startRegistry({ tls: { ...leaf, clientCa: authority.cert } });
    const name = `${registry.host}/shop/mutual:1`;
    const { folder } = scene();
    const file = (as: string, text: string) => {
      writeFileSync(join(folder, as), text);
      return join(folder, as);
    };
    const ca = file('ca.pem', authority.cert);
    const shown = async (by: CertificateIssuer, as: string) => {
      const { cert, key } = await by.issue({ commonName: as, usage: 'client' });
      const clientCertificate = file(`${as}.pem`, cert);
      return scene({
        registries: {
          [registry.host]: { ca, clientCertificate, clientKey: file(`${as}-key.pem`, key) },
        },
      });
    };
    const known = await shown(issuer, 'node');
    await known.build(name);
    await known.push(name);
    const again = await shown(issuer, 'other-node');
    expect((await again.store.pull(name, { signal }))?.names).toEqual([name]);
    const bare = scene({ registries: { [registry.host]: { ca } } });
    for (const refused of [bare, await shown(stranger, 'stranger')]) {
      await expect(refused.store.pull(name, { signal })).rejects.toMatchObject({
        reason: 'RegistryUnavailable',
        // Who is cut off may be so before the reason has come.
        message: expect.stringMatching(/name clientCertificate and clientKey$|was cut$/) as string,
      });
      expect(refused.left()).toEqual([]);
    }
    await registry.stop();
  });
});

/** Gives tokens for `shop` with its password, and for the refresh token `refresh-me`. */
async function tokenServer(leaf: {
  cert: string;
  key: string;
}): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://tokens');
    const body = await text(request);
    const fields = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    const scope = fields.get('scope') ?? '';
    asked.push(`${request.method} ${scope}`);
    const basic = `Basic ${Buffer.from('shop:sesame').toString('base64')}`;
    const known =
      request.headers.authorization === basic || fields.get('refresh_token') === 'refresh-me';
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { token: jwt(leaf, scope), expires_in: 300 } : {}));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, server, asked };
}

function jwt({ cert, key }: { cert: string; key: string }, scope: string): string {
  const [type = '', name = '', actions = ''] = scope.split(':');
  const now = Math.floor(Date.now() / 1000);
  const x5c = [new X509Certificate(cert).raw.toString('base64')];
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: 'here',
    sub: 'shop',
    aud: 'images',
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: '1',
  };
  const access = [{ type, name, actions: actions.split(',') }];
  const unsigned = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part({ ...claims, access })}`;
  const signed = sign('sha256', Buffer.from(unsigned), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  });
  return `${unsigned}.${signed.toString('base64url')}`;
}

it('leaves nothing behind', () => {
  for (const each of scenes) expect(existsSync(each.folder)).toBe(false);
});
