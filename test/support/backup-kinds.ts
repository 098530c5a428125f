// A kind of two versions that uses all that kinds can say: what tests of kinds define, install and convert.
// Invariant: its converters lose nothing.
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { defineKind } from '../../controllers/framework/kinds/define-kind.ts';
import {
  conditions,
  duration,
  embeddedObject,
  intOrString,
  listMap,
  listSet,
  quantity,
} from '../../controllers/framework/kinds/fields.ts';
import type { ObjectOf } from '../../controllers/framework/kinds/object-types.ts';
import { z } from '../../controllers/framework/kinds/zod.ts';

const GROUP = { group: 'example.com', kind: 'Backup' } as const;
const NAME = /^[a-z]{1,5}$/;
const SCHEDULE = /^\S+( \S+){4}$/;

/** The older version: names where the newer one has objects. */
export const OldBackups = defineKind({
  ...GROUP,
  version: 'v1alpha1',
  spec: z.object({
    cron: z.string().regex(SCHEDULE).max(50),
    keep: z.int32().min(1).max(100).default(3),
    targets: listSet(z.string().regex(NAME).max(5)).max(4).optional(),
  }),
  status: z.object({ lastBackup: z.iso.datetime().optional() }),
  rules: { 'spec.targets[]': "self != 'self'" },
});
type Old = ObjectOf<typeof OldBackups>;

const Spec = z.object({
  schedule: z.string().regex(SCHEDULE).max(50).describe('When, as cron says it.'),
  keep: z.int32().min(1).max(100).default(3).describe('How many are kept.'),
  size: quantity().optional(),
  every: duration().optional(),
  port: intOrString().optional(),
  mode: z.enum(['Full', 'Incremental']).default('Full'),
  targets: listMap(
    z.object({ name: z.string().regex(NAME).max(5), weight: z.int32().min(0).max(9).default(1) }),
    'name',
  )
    .max(4)
    .optional(),
  tags: listSet(z.string().max(20)).max(5).optional(),
  labels: z.record(z.string(), z.string().max(10)).meta({ maxProperties: 4 }).optional(),
  owner: z.string().max(10).nullable().optional(),
  template: embeddedObject().optional(),
});
const Status = z.object({
  last: z.iso.datetime().optional(),
  replicas: z.int32().optional(),
  conditions: conditions().optional(),
});
interface Later {
  spec: z.output<typeof Spec>;
  status?: z.output<typeof Status> | undefined;
}

/** The newer version, which objects are stored in. What the older one cannot say goes along in an annotation. */
export const Backups = defineKind({
  ...GROUP,
  version: 'v1',
  description: 'Backups of volumes by a schedule.',
  shortNames: ['bk'],
  categories: ['all'],
  spec: Spec,
  status: Status,
  rules: {
    spec: {
      rule: "self.mode != 'Full' || self.keep < 50",
      message: 'full ones are large: keep fewer',
    },
    'spec.targets[]': "self.name != 'self'",
  },
  columns: {
    Schedule: '.spec.schedule',
    Keep: '.spec.keep',
    Age: '.metadata.creationTimestamp',
  },
  scale: { specReplicasPath: '.spec.keep', statusReplicasPath: '.status.replicas' },
  selectableFields: ['.spec.mode'],
  versions: [{ kind: OldBackups, deprecated: true, up, down }],
});

/** What the newer version says and the older one cannot. */
const LATER = 'example.com/later';

interface Content {
  spec: Later['spec'];
  status?: Later['status'];
}

function plainUp({ spec, status }: Pick<Old, 'spec' | 'status'>): Content {
  const { cron, keep, targets } = spec;
  return {
    spec: {
      schedule: cron,
      keep,
      mode: keep < 50 ? 'Full' : 'Incremental',
      ...(targets && { targets: targets.map((name) => ({ name, weight: 1 })) }),
    },
    ...(status && { status: status.lastBackup ? { last: status.lastBackup } : {} }),
  };
}

function plainDown({ spec, status }: Content): Pick<Old, 'spec' | 'status'> {
  const { schedule, keep, targets } = spec;
  return {
    spec: { cron: schedule, keep, ...(targets && { targets: targets.map(({ name }) => name) }) },
    ...(status && { status: status.last ? { lastBackup: status.last } : {} }),
  };
}

function up(old: Old) {
  const { [LATER]: later, ...annotations } = old.metadata.annotations ?? {};
  const plain = plainUp(old);
  if (later === undefined) return plain;
  const kept = JSON.parse(later) as Content;
  const metadata = { ...old.metadata, annotations };
  // What was written in the older version since counts.
  return deepEqual(plainUp(plainDown(kept)), plain)
    ? { ...kept, metadata }
    : { ...plain, metadata };
}

function down({ metadata, spec, status }: Content & KubeObject) {
  const content = { spec, ...(status && { status }) };
  const plain = plainDown(content);
  if (deepEqual(plainUp(plain), content)) return plain;
  const annotations = { ...metadata.annotations, [LATER]: JSON.stringify(content) };
  return { ...plain, metadata: { ...metadata, annotations } };
}
