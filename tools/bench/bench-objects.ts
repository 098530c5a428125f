// The objects of the API bench. A Pod is as large as a real one: a Deployment's, with its probes, volumes and status, 2.8 KB
// as it is stored with its managedFields.
// Invariant: `{i}` and `{o}` in names and values are filled in by the load workers (load-order.ts).

/** What admission would add; here from the start, so that the same JSON can replace what it made. */
const TOLERATIONS = ['not-ready', 'unreachable'].map((taint) => ({
  key: `node.kubernetes.io/${taint}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

/** What a Deployment's pod looks like, as JSON. */
export function benchPodJson(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: 'payment', n: '{i}' },
    },
    spec: {
      serviceAccountName: 'default',
      serviceAccount: 'default',
      automountServiceAccountToken: false,
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: TOLERATIONS,
      containers: [
        {
          name: 'app',
          image: 'registry.example.com/shop/payment:1.4.2',
          env: [{ name: 'VAULT_KEY', value: 'bench' }],
          resources: { requests: { cpu: '100m', memory: '128Mi' } },
          readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  });
}

/** A status that an agent would write, to be put over the pod's; with the labels, as a status takes them along. */
export function benchPodStatusJson(name: string): string {
  const since = '2026-01-01T00:00:00Z';
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: since });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'payment', n: '{i}' } },
    status: {
      phase: 'Running',
      message: 'look {i}',
      podIP: '10.200.0.7',
      podIPs: [{ ip: '10.200.0.7' }],
      startTime: since,
      conditions: ['Ready'].map(condition),
    },
  });
}

/** A ConfigMap with 1 KB of data. */
export function benchConfigMapJson(name: string): string {
  const data = { text: 'x'.repeat(1000), n: '{i}' };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}
