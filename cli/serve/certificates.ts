// Which certificates a cluster has, and whether those on disk still serve. Makes none itself: pki.ts does, in a
// process of its own, since the X.509 library's memory would stay with a program that runs for months.
// Invariant: after ensureCertificates every pair that certificateSpecs names is on disk and valid.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { KeyPair, LeafSpec, ServerName } from '../../base/certificates.ts';
import type { Clock } from '../../base/clock.ts';
import type { System } from '../../system/system.ts';
import { type ClusterFacts, UsageError } from './data-directory.ts';

const DAY_MS = 86_400_000;
/** A leaf with less than this left is renewed at start. */
const RENEW_BEFORE_MS = 60 * DAY_MS;

/** The authority that the cluster's parts trust each other by, as a file name without ending. */
export const CLUSTER_CA = 'ca';
/**
 * The authority of what the API server shows to servers behind it. One of its own: whoever trusts it takes headers for
 * identities, so that nothing else may be signed by it.
 */
export const FRONT_PROXY_CA = 'front-proxy-ca';
/** An authority's file name. */
export type AuthorityFile = typeof CLUSTER_CA | typeof FRONT_PROXY_CA;

/** A certificate to have. */
export interface CertificateSpec extends Omit<LeafSpec, 'lifetimeMs'> {
  /** File name without ending. */
  readonly file: string;
  /** Who signs it; the cluster's CA unless given. */
  readonly authority?: AuthorityFile;
}

/** The common name by which servers behind the API server know it. */
export const FRONT_PROXY_NAME = 'front-proxy-client';

/** The common name that node agents let in: the API server, reaching for logs and exec. */
export const KUBELET_CLIENT_NAME = 'kube-apiserver-kubelet-client';

/** Everything a cluster needs; file names are those of the parts. */
export function certificateSpecs(facts: ClusterFacts, serviceIp: string): CertificateSpec[] {
  const dns = (value: string): ServerName => ({ type: 'dns', value });
  const ip = (value: string): ServerName => ({ type: 'ip', value });
  const inCluster = ['', '.default', '.default.svc', '.default.svc.cluster.local'];
  return [
    {
      file: 'apiserver',
      commonName: 'kube-apiserver',
      usage: 'server',
      names: [
        dns('localhost'),
        ...inCluster.map((suffix) => dns(`kubernetes${suffix}`)),
        ip('127.0.0.1'),
        ip(facts.nodeIp),
        ip(serviceIp),
      ],
    },
    {
      file: 'apiserver-kubelet-client',
      commonName: KUBELET_CLIENT_NAME,
      organizations: [SUPERUSERS],
      usage: 'client',
    },
    {
      file: FRONT_PROXY_NAME,
      commonName: FRONT_PROXY_NAME,
      usage: 'client',
      authority: FRONT_PROXY_CA,
    },
    {
      file: 'admin',
      commonName: 'kubernetes-admin',
      organizations: [SUPERUSERS],
      usage: 'client',
    },
    { file: 'controllers', commonName: 'system:kube-controller-manager', usage: 'client' },
    { file: 'scheduler', commonName: 'system:kube-scheduler', usage: 'client' },
    {
      file: 'node',
      commonName: `system:node:${facts.nodeName}`,
      organizations: ['system:nodes'],
      usage: 'client',
    },
    {
      file: 'kubelet',
      commonName: facts.nodeName,
      usage: 'server',
      names: [dns(facts.nodeName), ip(facts.nodeIp), ip('127.0.0.1')],
    },
  ];
}

/** The pair on disk, if both halves are there. */
export function readPair(folder: string, file: string): KeyPair | undefined {
  const [cert, key] = [join(folder, `${file}.crt`), join(folder, `${file}.key`)];
  if (!existsSync(cert) || !existsSync(key)) return undefined;
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** The pair on disk, which must be there. */
export function loadPair(folder: string, file: string): KeyPair {
  const pair = readPair(folder, file);
  if (!pair) throw new Error(`no certificate ${file} in ${folder}`);
  return pair;
}

/** The certificate of a CA, the cluster's own unless another is named; PEM. */
export function loadCa(folder: string, file: AuthorityFile = CLUSTER_CA): string {
  return readFileSync(join(folder, `${file}.crt`), 'utf8');
}

/** The certificate; undefined where one half does not parse or the halves do not belong together. */
function parsed({ cert, key }: KeyPair): X509Certificate | undefined {
  try {
    const found = new X509Certificate(cert);
    return found.checkPrivateKey(createPrivateKey(key)) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Does the pair on disk serve `spec` for a while yet? */
export function serves(folder: string, spec: CertificateSpec, clock: Clock): boolean {
  const pair = readPair(folder, spec.file);
  const ca = readPair(folder, spec.authority ?? CLUSTER_CA);
  if (!pair || !ca) return false;
  const found = parsed(pair);
  if (!found) return false;
  const listed = new Set((found.subjectAltName ?? '').split(', '));
  const named = (spec.names ?? []).every(({ type, value }) =>
    listed.has(type === 'ip' ? `IP Address:${value}` : `DNS:${value}`),
  );
  const left = Date.parse(found.validTo) - clock.now();
  return left > RENEW_BEFORE_MS && named && found.verify(new X509Certificate(ca.cert).publicKey);
}

/** Much rests on an authority, so it is never replaced by itself. */
function checkCa(folder: string, file: AuthorityFile): void {
  const pair = readPair(folder, file);
  if (pair && !parsed(pair))
    throw new UsageError(
      `${join(folder, `${file}.crt`)} and its key cannot be read or do not belong together; restore them, or start with another --data-dir`,
    );
}

/** Has every certificate of `specs` on disk, made by a short-lived process where one is missing. */
export async function ensureCertificates(
  folder: string,
  specs: readonly CertificateSpec[],
  doors: { system: System; clock: Clock },
): Promise<void> {
  checkCa(folder, CLUSTER_CA);
  checkCa(folder, FRONT_PROXY_CA);
  const wanted = specs.filter((spec) => !serves(folder, spec, doors.clock));
  if (wanted.length === 0) return;
  const program = fileURLToPath(new URL('./pki.ts', import.meta.url));
  await doors.system.run(process.execPath, [program, folder], { input: JSON.stringify(wanted) });
}
