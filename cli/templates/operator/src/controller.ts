// The controller: keeps a Deployment for each Widget, and tells in the status how far that is.
// Each reconcile looks at everything anew and may be repeated at any time; that is what survives crashes and late news.
import { type Deployment, Deployments } from 'pinnace/client';
import {
  controllerFor,
  isControlledBy,
  keyOf,
  ownerReferenceFor,
  withCondition,
  writeStatus,
} from 'pinnace/controllers';
import { type Widget, Widgets } from './kind.ts';

/** Wakes when a Widget or a Deployment that one owns changes. */
export const controller = controllerFor(Widgets)
  .named('widgets')
  .owns(Deployments)
  .reconcile(async (widget, { client, clock, informers, resource, signal }) => {
    const known = informers.informer(Deployments).get(keyOf(widget));
    const foreign = known !== undefined && !isControlledBy(known, widget);
    const deployment = foreign
      ? undefined
      : await client
          .resource(Deployments)
          .apply(deploymentOf(widget), { fieldManager: 'widget-operator', force: true, signal });
    const now = new Date(clock.now()).toISOString();
    await writeStatus({ resource, signal }, widget, (current) =>
      statusOf(current, deployment, now),
    );
  });

/** What a Widget comes to. */
export function deploymentOf(widget: Widget) {
  const { name = '', namespace } = widget.metadata;
  const labels = { 'example.com/widget': name };
  return {
    metadata: { name, namespace, ownerReferences: [ownerReferenceFor(widget, Widgets)] },
    spec: {
      replicas: widget.spec.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: widget.spec.image }] },
      },
    },
  };
}

/** How far it is; without a Deployment its name is somebody else's. */
export function statusOf(
  { metadata, spec, status }: Widget,
  deployment: Deployment | undefined,
  now: string,
): NonNullable<Widget['status']> {
  const readyReplicas = deployment?.status?.readyReplicas ?? 0;
  const ready = deployment !== undefined && readyReplicas >= spec.replicas;
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: deployment === undefined ? 'NameTaken' : ready ? 'AsAsked' : 'Starting',
    message:
      deployment === undefined
        ? `a Deployment ${metadata.name} is there already, and is not ours`
        : `${readyReplicas} of ${spec.replicas} pods are ready`,
  } as const;
  return {
    observedGeneration: metadata.generation,
    readyReplicas,
    conditions: withCondition(status?.conditions, condition, now),
  };
}
