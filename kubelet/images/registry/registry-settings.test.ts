// Settings of registries: who is asked for an image, in which order and how; and a wrong file is refused with the place in it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DEFAULT_SETTINGS,
  parseRegistrySettings,
  readRegistrySettings,
} from './registry-settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const parsed = (value: unknown) =>
  parseRegistrySettings(JSON.stringify(value), join(folder, 'registries.json'));
const urls = (settings: ReturnType<typeof parsed>, registry: string) =>
  settings.endpointsOf(registry).map(({ url }) => url);

describe('settings of registries', () => {
  it('unless given ask each registry itself, over TLS but on loopback', () => {
    expect(urls(DEFAULT_SETTINGS, 'docker.io')).toEqual(['https://registry-1.docker.io']);
    expect(urls(DEFAULT_SETTINGS, 'quay.io')).toEqual(['https://quay.io']);
    expect(urls(DEFAULT_SETTINGS, 'localhost:5000')).toEqual(['http://localhost:5000']);
    expect(urls(DEFAULT_SETTINGS, '127.0.0.1:5000')).toEqual(['http://127.0.0.1:5000']);
    expect(urls(DEFAULT_SETTINGS, '127.0.0.1.example:5000')).toEqual([
      'https://127.0.0.1.example:5000',
    ]);
  });

  it('ask mirrors first, each with its own trust, and the registry last or not at all', () => {
    writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n');
    const mirrors = ['https://one.example/', { url: 'http://two.example:5000/hub', ca: 'ca.pem' }];
    const settings = parsed({
      registries: {
        'docker.io': { mirrors, credentials: { username: 'a', password: 'b' } },
        'far.example': { origin: false },
        '*': { mirrors: ['https://any.example'] },
      },
    });
    const [one, two, origin] = settings.endpointsOf('docker.io');
    expect(one).toEqual({ url: 'https://one.example', insecure: false, namespace: 'docker.io' });
    expect(two).toMatchObject({
      url: 'http://two.example:5000/hub',
      ca: expect.stringContaining('BEGIN'),
    });
    expect(origin).toMatchObject({
      url: 'https://registry-1.docker.io',
      credential: { username: 'a' },
    });
    expect(two?.credential).toBe(undefined);
    expect(urls(settings, 'far.example')).toEqual([]);
    expect(settings.originOf('far.example')).toBe(undefined);
    expect(urls(settings, 'quay.io')).toEqual(['https://any.example', 'https://quay.io']);
  });

  it.each([
    [{ registrys: {} }, 'it.registrys is no field; there are registries, limits'],
    [{ registries: [] }, 'registries must be an object'],
    [{ registries: { 'https://x': {} } }, 'registries["https://x"] must be named by a host'],
    [{ registries: { x: { mirror: [] } } }, 'registries["x"].mirror is no field'],
    [{ registries: { x: { mirrors: 'y' } } }, 'registries["x"].mirrors must be a list'],
    [{ registries: { x: { mirrors: ['y'] } } }, 'registries["x"].mirrors[0].url must be a URL'],
    [{ registries: { x: { mirrors: ['https://a:b@y'] } } }, 'must not hold a password'],
    [
      { registries: { x: { plainHttp: 'yes' } } },
      'registries["x"].plainHttp must be true or false',
    ],
    [{ registries: { '*': { plainHttp: true } } }, 'must be said of each registry by name'],
    [
      { registries: { x: { ca: 'none.pem' } } },
      'registries["x"].ca names a file that cannot be read',
    ],
    [{ registries: { x: { clientKey: 'k' } } }, 'must have both clientCertificate and clientKey'],
    [
      { registries: { x: { credentials: { username: 'a' } } } },
      'must have both username and password',
    ],
    [{ registries: { x: { credentials: { user: 'a' } } } }, 'credentials.user is no field'],
    [{ limits: { bombRatio: -1 } }, 'limits.bombRatio must be a whole number'],
    [{ limits: { size: 1 } }, 'limits.size is no field'],
    [[], 'it must be an object'],
  ])('are refused where they are wrong: %j', (value, message) => {
    expect(() => parsed(value)).toThrow(message);
    expect(() => parsed(value)).toThrow(join(folder, 'registries.json'));
  });

  it('are refused where the file is no JSON or not there', () => {
    const file = join(folder, 'registries.json');
    expect(() => readRegistrySettings(file)).toThrow(/cannot be read: ENOENT/);
    writeFileSync(file, '{');
    expect(() => readRegistrySettings(file)).toThrow(/is not JSON/);
  });
});
