// Pods that the API server refuses, in words that name the field.
import { steady } from '../play.ts';
import { aContainer, aPod, type Scenario } from '../scenario.ts';

const refusing = (name: string, refused: RegExp, pod: Scenario['pod']): Scenario => ({
  name,
  refused,
  pod,
  plays: { main: steady },
  steps: [],
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  refusing(
    'a pod without containers is refused',
    /spec\.containers: Required value/,
    aPod({ containers: [] }),
  ),
  refusing(
    'a pod whose request is beyond its limit is refused',
    /spec\.containers\[0\]\.resources\.requests: Invalid value: "2": must be less than or equal to cpu limit of 1/,
    aPod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
  ),
  refusing(
    'a pod that mounts a volume that it does not have is refused',
    /spec\.containers\[0\]\.volumeMounts\[0\]\.name: Not found: "nothing"/,
    aPod({}, { volumeMounts: [{ name: 'nothing', mountPath: '/x' }] }),
  ),
  refusing(
    'a pod with two containers of one name is refused',
    /spec\.containers\[1\]\.name: Duplicate value: "main"/,
    aPod({ containers: [aContainer('main'), aContainer('main')] }),
  ),
  refusing(
    'a pod with an unknown restart policy is refused',
    /spec\.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"|"Always", "OnFailure", "Never"/,
    aPod({ restartPolicy: 'Sometimes' }),
  ),
  refusing(
    'a probe of two kinds at once is refused',
    /spec\.containers\[0\]\.livenessProbe\.tcpSocket: Forbidden: may not specify more than 1 handler type/,
    aPod({}, { livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
  ),
  refusing(
    'a readiness probe with a grace period is refused',
    /spec\.containers\[0\]\.readinessProbe\.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes/,
    aPod({}, { readinessProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 1 } }),
  ),
  refusing(
    'a privileged container that forbids itself escalation is refused',
    /spec\.containers\[0\]\.securityContext: Invalid value: .*cannot set `allowPrivilegeEscalation` to false and `privileged` to true/,
    aPod({}, { securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
  ),
  refusing(
    'sharing processes with the host and within the pod at once is refused',
    /spec\.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled/,
    aPod({ shareProcessNamespace: true, hostPID: true }),
  ),
  refusing(
    'a volume of two kinds at once is refused',
    /spec\.volumes\[0\]\.hostPath: Forbidden: may not specify more than 1 volume type/,
    aPod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
  ),
  refusing(
    'dnsPolicy None without name servers is refused',
    /spec\.dnsConfig\.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is '?None'?/,
    aPod({ dnsPolicy: 'None' }),
  ),
  refusing(
    'an unsafe name of a sysctl is refused',
    /spec\.securityContext\.sysctls\[0\]\.name: Invalid value: "not a sysctl"/,
    aPod({ securityContext: { sysctls: [{ name: 'not a sysctl', value: '1' }] } }),
  ),
  refusing(
    'a deadline of nothing is refused',
    /spec\.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive/,
    aPod({ activeDeadlineSeconds: 0 }),
  ),
];
