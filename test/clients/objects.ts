// Objects that tests of clients apply. Invariant: each call makes a new object.
import { SHELL_IMAGE, WEB_IMAGE } from '../support/tiny-images.ts';

/** Parts laid over a pod and over its container. */
export interface PodParts {
  readonly spec?: object;
  readonly container?: object;
}

/** A pod that runs a shell script. */
export const shellPod = (name: string, script: string, more: PodParts = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      { name: 'main', image: SHELL_IMAGE, command: ['/bin/sh', '-c', script], ...more.container },
    ],
    ...more.spec,
  },
});

/** A pod of the test web server, Ready once it listens. Its probe bears with a host that stands still: an unready pod is somebody's fault. */
export const webTemplate = (name: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: 'web',
        image: WEB_IMAGE,
        ports: [{ name: 'http', containerPort: 8080 }],
        resources: { requests: { cpu: '50m', memory: '32Mi' } },
        readinessProbe: {
          httpGet: { path: '/readyz', port: 'http' },
          periodSeconds: 1,
          timeoutSeconds: 20,
        },
      },
    ],
  },
});

/** A Deployment of the test web server. */
export const webDeployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: webTemplate(name) },
});

/** A Service of port 80 for pods labelled `app: NAME`. */
export const webService = (name: string, type = 'ClusterIP') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type, selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

/** A ConfigMap. */
export const configMap = (name: string, data: Record<string, string> = { a: '1' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: name } },
  data,
});
