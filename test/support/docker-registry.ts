// Debian's docker-registry on loopback: a real registry over a folder of its own, open or asking who comes, with or without TLS.
// Invariant: it serves when `startRegistry` resolves; `stop` ends it and removes its folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How it asks who comes, and what it shows. */
export interface RegistryForm {
  /** The user `shop` with the password `sesame`. */
  readonly basic?: boolean;
  readonly token?: { realm: string; service: string; issuer: string; authority: string };
  /** With `clientCa`, who shows no certificate of that authority is cut off in the handshake. */
  readonly tls?: { cert: string; key: string; clientCa?: string };
  /** Blobs are read through from this registry (a mirror). */
  readonly proxy?: string;
}

/** A registry that runs. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Bcrypt of `sesame`, the only form that docker-registry reads. */
const HTPASSWD = 'shop:$2b$04$k4FrKYWYX0HBMnevbFWPrewCYcp3xDznO/EL0Yx768FNwnpXDT.4W\n';

/** Starts a program where its registry is to listen. */
type Start = (program: string, args: readonly string[]) => ChildProcess;
const here: Start = (program, args) => spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Starts one on a free port, of this namespace unless `start` begins programs in another. */
export async function startRegistry(
  form: RegistryForm = {},
  start: Start = here,
): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-registry-'));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { basic, token, tls, proxy } = form;
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      ...(tls && {
        tls: {
          certificate: file('cert.pem', tls.cert),
          key: file('key.pem', tls.key),
          ...(tls.clientCa !== undefined && { clientcas: [file('client-ca.pem', tls.clientCa)] }),
        },
      }),
    },
    ...(basic && { auth: { htpasswd: { realm: 'shop', path: file('htpasswd', HTPASSWD) } } }),
    ...(token && {
      auth: {
        token: {
          realm: token.realm,
          service: token.service,
          issuer: token.issuer,
          rootcertbundle: file('authority.pem', token.authority),
        },
      },
    }),
    ...(proxy !== undefined && { proxy: { remoteurl: proxy } }),
  };
  // JSON is YAML.
  const child = start('docker-registry', ['serve', file('config.yml', JSON.stringify(config))]);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { host: await listening(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address that it tells in its log. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (host !== undefined) resolve(host);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry ended: ${said}`)));
  });
}
