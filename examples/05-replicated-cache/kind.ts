// ReplicatedCache: a kind from one schema. Members with names and volumes that stay theirs, started and stopped in order.
// Invariant: what could not be changed under running members (their port, the size of their volumes) is held fast by rules.
import { conditions, defineKind, type ObjectOf, quantity } from 'pinnace/controllers';
import { z } from 'zod';

const spec = z.object({
  replicas: z.int32().min(0).max(100).default(3).describe('How many members.'),
  image: z.string().min(1),
  port: z.int32().min(1).max(65_535).default(6379),
  memory: quantity().default('64Mi'),
  storage: z.object({
    size: quantity(),
    className: z.string().optional(),
    whenUnused: z
      .enum(['Keep', 'Delete'])
      .default('Keep')
      .describe('What becomes of volume claims of members that are scaled away or deleted.'),
  }),
});

const status = z.object({
  observedGeneration: z.int().optional(),
  replicas: z.int32().describe('Members that are there.'),
  readyReplicas: z.int32(),
  updatedReplicas: z.int32().describe('Members that are made from the spec of now.'),
  revision: z.string().describe('What members are made from now, as their label says it.'),
  selector: z.string().describe('For whoever scales.'),
  conditions: conditions().optional(),
});

/** Caches of several members. */
export const ReplicatedCaches = defineKind({
  group: 'cache.example.com',
  version: 'v1',
  kind: 'ReplicatedCache',
  shortNames: ['rc'],
  categories: ['all'],
  description: 'A cache of several members with stable names and a volume claim each.',
  spec,
  status,
  rules: {
    '': {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$')",
      message: 'the name is part of host names: 50 letters, digits and hyphens at most',
    },
    'spec.port': { rule: 'self == oldSelf', message: 'the port stays as it is' },
    'spec.storage': {
      rule: 'self.size == oldSelf.size && has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)',
      message: 'volumes stay as they are',
    },
  },
  columns: {
    Replicas: '.spec.replicas',
    Ready: '.status.readyReplicas',
    Updated: '.status.updatedReplicas',
    Age: '.metadata.creationTimestamp',
  },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
});

/** A cache as it is stored. */
export type ReplicatedCache = ObjectOf<typeof ReplicatedCaches>;
