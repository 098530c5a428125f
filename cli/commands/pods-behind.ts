// Pods behind what a person names: `web-1`, `pod/web-1`, `deploy/web`, `svc/web`; and which of them to take when one is wanted.
import { Pods } from '../../api/kinds.ts';
import type { LabelSelector, Pod } from '../../api/generated/types.ts';
import { labelSelectorText } from '../../api/meta/labels.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { qualifiedName } from '../../client/discovery/discovery.ts';
import { EMPTY_NAME } from './asked.ts';
import { CommandFailure } from './command-failure.ts';
import type { Connection } from './connection.ts';

/** The pods of `NAME` or `TYPE/NAME`, the best one to look at first. Throws when there is none. */
export async function podsBehind(connection: Connection, text: string): Promise<Pod[]> {
  const { client, namespace } = connection;
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (name === '') throw new CommandFailure(EMPTY_NAME);
  const resource = slash < 0 ? undefined : await connection.resource(text.slice(0, slash));
  if (resource === undefined || qualifiedName(resource) === 'pod')
    return [await podNamed(connection, name)];
  const object = await client.resource(resource.ref).get({ namespace, name });
  const labelSelector = selectorOf(object as LooseObject);
  if (labelSelector === undefined)
    throw new CommandFailure(
      `cannot get the logs from ${resource.ref.kind}: selecting pods from it is not possible`,
    );
  const pods = await podsLabelled(connection, labelSelector);
  if (pods.length === 0)
    throw new CommandFailure(`no pods are behind ${qualifiedName(resource)} "${name}"`);
  return pods;
}

/** Pods by label, the best one to look at first. */
export async function podsLabelled(connection: Connection, labelSelector: string): Promise<Pod[]> {
  const { client, namespace } = connection;
  const { items } = await client.resource(Pods).list({ namespace, labelSelector });
  return byUse(items);
}

async function podNamed({ client, namespace }: Connection, name: string): Promise<Pod> {
  try {
    return await client.resource(Pods).get({ namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CommandFailure(
      `error from server (NotFound): pods "${name}" not found in namespace "${namespace}"`,
    );
  }
}

/** What runs and is ready before what is not, the older before the newer. */
export function byUse(pods: readonly Pod[]): Pod[] {
  const rank = (pod: Pod): string => {
    const ready = pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    const placed = pod.spec?.nodeName ? 0 : 1;
    const running = pod.status?.phase === 'Running' ? 0 : 1;
    return `${placed}${running}${ready ? 0 : 1}${pod.metadata.creationTimestamp ?? ''}`;
  };
  return [...pods].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The label selector of a workload or a Service, as a query; undefined for what has none. */
function selectorOf(object: LooseObject): string | undefined {
  const selector = (object['spec'] as { selector?: unknown } | undefined)?.selector;
  if (typeof selector !== 'object' || selector === null) return undefined;
  const { matchLabels, matchExpressions } = selector as LabelSelector;
  const plain = matchLabels === undefined && matchExpressions === undefined;
  const text = labelSelectorText(
    plain ? { matchLabels: selector as Record<string, string> } : (selector as LabelSelector),
  );
  return text === '' ? undefined : text;
}
