// Where the figures come from by which versions are judged.
// Invariant: a source answers for the pods of one version only, and nothing at all while it knows nothing of them.
import { type Client, parseQuantity, PodMetricsKind, toMilli } from 'pinnace/client';

/** Which pods are to be judged. */
export interface Question {
  readonly namespace: string;
  /** Selects the pods of the version. */
  readonly labelSelector: string;
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** Answers one figure for all pods of a version, such as errors per second. May be asked again at once; may throw. */
export type MetricsSource = (question: Question) => Promise<number | undefined>;

/** Thousandths of a processor that a pod of the version uses, on average, as the cluster's own metrics API has it. */
export const podCpu: MetricsSource = async ({ client, ...which }) => {
  const { items } = await client.resource(PodMetricsKind).list(which);
  if (items.length === 0) return undefined;
  const used = items
    .flatMap(({ containers }) => containers)
    .reduce((sum, { usage }) => sum + toMilli(parseQuantity(usage.cpu)), 0);
  return used / items.length;
};
