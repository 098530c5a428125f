// Ports of the node that pods ask for: which pod has them, and what the table says of them.
import { describe, expect, it } from 'vitest';
import type { ContainerPort, Pod } from '../../api/generated/types.ts';
import { asksForHostPorts, hostPortFronts } from './host-ports.ts';
import { elementsOf } from './ruleset.ts';

const aPod = (
  name: string,
  port: Partial<ContainerPort>,
  more: Partial<Pod['status']> = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [{ name: 'main', ports: [{ containerPort: 8080, ...port }] }] },
  status: { phase: 'Running', podIP: '10.244.0.5', ...more },
});

describe('ports of the node', () => {
  it('lead to the pod that asks for them, from every address or from one', () => {
    const { elements } = elementsOf(
      hostPortFronts([
        aPod('a', { hostPort: 80 }),
        aPod('b', { hostPort: 80, hostIP: '127.0.0.1', protocol: 'UDP' }, { podIP: '10.244.0.6' }),
      ]),
    );
    expect([...elements]).toEqual([
      ['hostports tcp . 80', 'tcp . 80 : 10.244.0.5 . 8080'],
      ['hairpins 10.244.0.5', '10.244.0.5 . 10.244.0.5'],
      ['hostaddresses 127.0.0.1 . udp . 80', '127.0.0.1 . udp . 80 : 10.244.0.6 . 8080'],
      ['hairpins 10.244.0.6', '10.244.0.6 . 10.244.0.6'],
    ]);
  });

  it('lead to the first pod where two ask for the same, and to none that is over or has no address', () => {
    const younger = {
      metadata: { name: 'b', uid: 'b', creationTimestamp: '2026-01-02T00:00:00Z' },
    };
    const second = { ...aPod('b', { hostPort: 80 }, { podIP: '10.244.0.6' }), ...younger };
    const first = aPod('a', { hostPort: 80 });
    const backends = (pods: readonly Pod[]) =>
      hostPortFronts(pods).flatMap((front) => front.backends.map(({ ip }) => ip));
    expect(backends([second, first])).toEqual(['10.244.0.5']);
    expect(backends([second, { ...first, status: { ...first.status, phase: 'Failed' } }])).toEqual([
      '10.244.0.6',
    ]);
    expect(backends([{ ...first, status: { phase: 'Pending' } }])).toEqual([]);
  });

  it('are nothing to pods in the network of their node, of other protocols and addresses, or without any', () => {
    expect(asksForHostPorts(aPod('a', {}))).toBe(false);
    const pod = aPod('a', { hostPort: 80 });
    expect(asksForHostPorts(pod)).toBe(true);
    expect(asksForHostPorts({ ...pod, spec: { ...pod.spec!, hostNetwork: true } })).toBe(false);
    expect(hostPortFronts([aPod('a', { hostPort: 80, protocol: 'SCTP' })])).toEqual([]);
    expect(hostPortFronts([aPod('a', { hostPort: 80, hostIP: '::1' })])).toEqual([]);
  });
});
