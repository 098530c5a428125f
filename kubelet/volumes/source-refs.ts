// Every ConfigMap and Secret that a pod names: in volumes, in environments, for its images. Pure.
import type { Container, Pod, Volume } from '../../api/generated/types.ts';
import type { SourceRef } from './object-sources.ts';

type Named = Pick<SourceRef, 'kind'> & { readonly name: string | undefined };

/** Each once. */
export function sourcesOf(pod: Pod): SourceRef[] {
  const {
    volumes = [],
    initContainers = [],
    containers = [],
    ephemeralContainers = [],
    imagePullSecrets = [],
  } = pod.spec ?? {};
  const namespace = pod.metadata.namespace ?? '';
  const refs = new Map<string, SourceRef>();
  for (const { kind, name } of [
    ...volumes.flatMap(ofVolume),
    ...[...initContainers, ...containers, ...ephemeralContainers].flatMap(ofContainer),
    ...imagePullSecrets.map(({ name }): Named => ({ kind: 'secret', name })),
  ])
    if (name) refs.set(`${kind}/${name}`, { kind, namespace, name });
  return [...refs.values()];
}

function ofVolume(volume: Volume): Named[] {
  return [
    { kind: 'configmap', name: volume.configMap?.name },
    { kind: 'secret', name: volume.secret?.secretName },
    ...(volume.projected?.sources ?? []).flatMap(({ configMap, secret }): Named[] => [
      { kind: 'configmap', name: configMap?.name },
      { kind: 'secret', name: secret?.name },
    ]),
  ];
}

function ofContainer(container: Pick<Container, 'env' | 'envFrom'>): Named[] {
  const whole = (container.envFrom ?? []).flatMap(({ configMapRef, secretRef }): Named[] => [
    { kind: 'configmap', name: configMapRef?.name },
    { kind: 'secret', name: secretRef?.name },
  ]);
  const single = (container.env ?? []).flatMap(({ valueFrom }): Named[] => [
    { kind: 'configmap', name: valueFrom?.configMapKeyRef?.name },
    { kind: 'secret', name: valueFrom?.secretKeyRef?.name },
  ]);
  return [...whole, ...single];
}
