// The API server of examples/02-aggregated-api as an image, and what its pod needs in a cluster: certificates, a Service, an APIService.
// Invariant: made without a network, from the example's own files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GROUP, VERSION } from '../../examples/02-aggregated-api/recipes.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { buildImage } from '../../kubelet/images/build.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { NODE_PATH_IN_IMAGE, nodeBaseLayer } from '../../kubelet/images/node-base-layer.ts';
import type { System } from '../../system/system.ts';

const IMAGE = 'test/kitchen:1';
const NAMESPACE = 'kube-system';
const FOLDER = join(import.meta.dirname, '..', '..', 'examples', '02-aggregated-api');
const SOURCES = ['documents', 'main', 'recipes', 'requester', 'server'];

/** Builds the image into an image store. */
export async function buildKitchenImage(system: System, directory: string): Promise<void> {
  const store = createImageStore({ system, dir: directory, logger: silentLogger });
  await buildImage(store, {
    name: IMAGE,
    layers: [
      await nodeBaseLayer(system, process.execPath),
      {
        files: SOURCES.map((name) => ({
          content: readFileSync(join(FOLDER, `${name}.ts`), 'utf8'),
          target: `/app/${name}.ts`,
        })),
      },
    ],
    config: { Entrypoint: [NODE_PATH_IN_IMAGE, '/app/main.ts', '/certificates'] },
  });
}

/** The objects by which a cluster has the kitchen's group; in kube-system, where the front proxy's authority is told. */
export async function kitchenObjects(): Promise<object[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kitchen-'));
  try {
    const authority = await CertificateAuthority.open(folder, systemClock);
    const pair = await authority.issue({
      file: 'kitchen',
      commonName: 'kitchen',
      usage: 'server',
      names: [{ type: 'dns', value: `kitchen.${NAMESPACE}.svc` }],
    });
    return [secret(pair), deployment, service, apiService(readFileSync(join(folder, 'ca.crt')))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const labels = { app: 'kitchen' };
const metadata = { name: 'kitchen', namespace: NAMESPACE };

const secret = ({ cert, key }: { cert: string; key: string }) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': cert, 'tls.key': key },
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'kitchen',
            image: IMAGE,
            ports: [{ containerPort: 8443 }],
            readinessProbe: {
              httpGet: { path: '/healthz', port: 8443, scheme: 'HTTPS' },
              periodSeconds: 1,
            },
            volumeMounts: [{ name: 'certificates', mountPath: '/certificates' }],
          },
        ],
        volumes: [
          {
            name: 'certificates',
            projected: {
              sources: [
                { secret: { name: 'kitchen' } },
                { configMap: { name: 'extension-apiserver-authentication' } },
              ],
            },
          },
        ],
      },
    },
  },
};

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
};

const apiService = (ca: Buffer) => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: `${VERSION}.${GROUP}` },
  spec: {
    group: GROUP,
    version: VERSION,
    groupPriorityMinimum: 2000,
    versionPriority: 10,
    service: { name: 'kitchen', namespace: NAMESPACE },
    caBundle: ca.toString('base64'),
  },
});
