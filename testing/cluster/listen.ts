// A test cluster's HTTPS port, with a certificate of its own, and a kubeconfig file for clients in other processes.
// Certificates go by the host's clock whatever the cluster's is, since those who check them do.
// Invariant: it listens on loopback only; close() leaves no socket and no file.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { ApiServer } from '../../apiserver/api-server.ts';
import { writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';

/** A test cluster that can be reached by clients of any kind. */
export interface ListeningCluster {
  /** Such as `https://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** Path of an administrator's kubeconfig; the file goes when the cluster closes. */
  readonly kubeconfig: string;
}

const HOST = '127.0.0.1';

/** Serves the API on a free port. */
export async function listenOn(
  server: ApiServer,
  admins: string,
): Promise<ListeningCluster & { close(): Promise<void> }> {
  // Its libraries are large, and most tests never listen.
  const { CertificateIssuer, makeAuthority } = await import('../../base/certificates.ts');
  const authority = await makeAuthority('test-cluster', { clock: systemClock });
  const issuer = await CertificateIssuer.of(authority, systemClock);
  const names = [
    { type: 'ip', value: HOST },
    { type: 'dns', value: 'localhost' },
  ] as const;
  const [served, admin] = await Promise.all([
    issuer.issue({ commonName: 'kube-apiserver', usage: 'server', names }),
    issuer.issue({ commonName: 'admin', organizations: [admins], usage: 'client' }),
  ]);
  const tls = { ...served, clientCa: authority.cert };
  const { port } = await server.listen({ host: HOST, port: 0, tls });
  const url = `https://${HOST}:${port}`;
  const folder = await mkdtemp(join(tmpdir(), 'test-cluster-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const text = writeKubeconfig({
    name: 'test',
    server: url,
    ca: authority.cert,
    user: 'admin',
    clientCert: admin.cert,
    clientKey: admin.key,
  });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return { url, port, kubeconfig, close: () => rm(folder, { recursive: true, force: true }) };
}
