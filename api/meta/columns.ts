// Columns that kinds share: name, age, and the containers, images and selector of workloads.
// Pure readers of objects; cells are texts as `kubectl get` prints them.
import type { Column } from '../definition.ts';
import type { LabelSelector, PodTemplateSpec } from '../generated/types.ts';
import { ageOf } from '../wire/human-duration.ts';
import { labelSelectorText } from './labels.ts';
import type { KubeObject } from './object.ts';

/** The `Name` column. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name of the object, unique within its namespace and kind.',
  value: (object) => object.metadata.name ?? '',
};

/** The `Name` column of a kind of which one may be the default, by an annotation of any of these names. */
export function defaultMarkedName(...annotations: readonly string[]): Column<KubeObject> {
  return {
    ...nameColumn,
    value: ({ metadata: { name = '', annotations: all = {} } }) =>
      annotations.some((key) => all[key] === 'true') ? `${name} (default)` : name,
  };
}

/** The `Age` column. */
export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the object was created.',
  value: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs),
};

/** The column of kinds that upstream shows without columns of their own: when the object was made. */
export const createdAtColumn: Column<KubeObject> = {
  name: 'Created At',
  type: 'string',
  description: 'When it was made.',
  value: (object) => object.metadata.creationTimestamp ?? '<unknown>',
};

/** Parts of a workload that its wide columns show. */
interface WorkloadSpec {
  readonly template?: PodTemplateSpec | undefined;
  readonly selector?: LabelSelector | undefined;
}

/** Wide columns of a kind with a pod template: its containers and their images. */
export function containerColumns<T extends KubeObject>(
  templateOf: (object: T) => PodTemplateSpec | undefined,
): Column<T>[] {
  const containers = (object: T) => templateOf(object)?.spec?.containers ?? [];
  return [
    wide('Containers', 'Names of the containers in the template.', (object) =>
      containers(object)
        .map((container) => container.name)
        .join(','),
    ),
    wide('Images', 'Images of the containers in the template.', (object) =>
      containers(object)
        .map((container) => container.image ?? '')
        .join(','),
    ),
  ];
}

/** Wide columns of a kind with a pod template and a selector. */
export function workloadColumns<T extends KubeObject>(
  specOf: (object: T) => WorkloadSpec | undefined,
): Column<T>[] {
  return [
    ...containerColumns<T>((object) => specOf(object)?.template),
    wide('Selector', 'The selector of the pods.', (object) => {
      const text = labelSelectorText(specOf(object)?.selector);
      return text === '' ? '<none>' : text;
    }),
  ];
}

/** The column as one that is shown always. */
export function always<T>({ priority: _wide, ...column }: Column<T>): Column<T> {
  return column;
}

/** A text column shown always. */
export function text<T>(
  name: string,
  description: string,
  value: (object: T, nowMs: number) => string,
): Column<T> {
  return { name, type: 'string', description, value };
}

/** A number column shown always. */
export function count<T>(
  name: string,
  description: string,
  value: (object: T) => number,
): Column<T> {
  return { name, type: 'integer', description, value };
}

/** A column of true and false shown always. */
export function yesNo<T>(
  name: string,
  description: string,
  value: (object: T) => boolean,
): Column<T> {
  return { name, type: 'boolean', description, value };
}

/** A text column shown with `-o wide`. */
export function wide<T>(
  name: string,
  description: string,
  value: (object: T, nowMs: number) => string,
): Column<T> {
  return { name, type: 'string', description, priority: 1, value };
}

/** The first few and how many more there are: `a,b,c + 2 more...`; `none` where there is nothing. */
export function firstOf(items: readonly string[], max: number, none: string): string {
  if (items.length === 0) return none;
  const shown = items.slice(0, max).join(',');
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}

/** A plain selector or label map as `a=b,c=d`, by key; `<none>` for an empty one. */
export function mapText(map: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([key, value]) => `${key}=${value}`).join(',') || '<none>';
}
