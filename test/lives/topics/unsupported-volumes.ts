// Volumes of kinds that no node gives: each is named in an event, and its pod goes on waiting.
import { aPod, both, container, phase, type Scenario, waiting } from '../scenario.ts';

/** By kind, the least that the API takes of it. */
const KINDS: Readonly<Record<string, object>> = {
  awsElasticBlockStore: { volumeID: 'v' },
  azureDisk: { diskName: 'd', diskURI: 'https://example.com/d', kind: 'Shared' },
  azureFile: { secretName: 's', shareName: 's' },
  cephfs: { monitors: ['192.0.2.1'] },
  cinder: { volumeID: 'v' },
  csi: { driver: 'example.com' },
  fc: { targetWWNs: ['500a0982991b8dc5'], lun: 1 },
  flexVolume: { driver: 'example.com/d' },
  flocker: { datasetName: 'd' },
  gcePersistentDisk: { pdName: 'd' },
  gitRepo: { repository: 'https://example.com/r' },
  glusterfs: { endpoints: 'e', path: 'p' },
  iscsi: { targetPortal: '192.0.2.1', iqn: 'iqn.2026-01.com.example:d', lun: 0 },
  photonPersistentDisk: { pdID: 'd' },
  portworxVolume: { volumeID: 'v' },
  quobyte: { registry: '192.0.2.1:1', volume: 'v' },
  rbd: { monitors: ['192.0.2.1'], image: 'i' },
  scaleIO: {
    gateway: 'https://example.com',
    system: 's',
    secretRef: { name: 's' },
    volumeName: 'v',
  },
  storageos: { volumeName: 'v' },
  vsphereVolume: { volumePath: '[d] v' },
};
/** What is said of a driver. */
const NO_DRIVER = ': driver name example.com not found in the list of registered CSI drivers';
/** Sources of projected volumes. */
const SOURCES: Readonly<Record<string, object>> = {
  clusterTrustBundle: { name: 'b', path: 'p' },
  podCertificate: { signerName: 'example.com/s', keyType: 'ED25519', credentialBundlePath: 'p' },
};

const aPodOf = (volume: object) =>
  aPod(
    { volumes: [{ name: 'v', ...volume }] },
    { volumeMounts: [{ name: 'v', mountPath: '/v' }], command: ['/bin/sh', '-c', 'exit 0'] },
  );

function refusing(kind: string, pod: Scenario['pod'], word: string): Scenario {
  return {
    name: `a volume of the kind ${kind} is told not to be supported, by name`,
    // One on real containers is enough: what refuses is the same.
    ...(kind === 'csi' ? {} : { on: ['fake'] }),
    pod,
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message: new RegExp(
            `^MountVolume\\.SetUp failed for volume "v" : this node does not support .* of kind ${word}$`,
          ),
        },
      },
      { until: both(phase('Pending'), container('main', waiting('ContainerCreating'))) },
    ],
    never: [phase('Running'), phase('Failed')],
  };
}

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  ...Object.entries(KINDS).map(([kind, source]) =>
    refusing(kind, aPodOf({ [kind]: source }), `${kind}${kind === 'csi' ? NO_DRIVER : ''}`),
  ),
  ...Object.entries(SOURCES).map(([kind, source]) =>
    refusing(kind, aPodOf({ projected: { sources: [{ [kind]: source }] } }), kind),
  ),
];
