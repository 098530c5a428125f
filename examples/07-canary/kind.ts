// Canary: a kind from one schema. A new version gets a growing share of the traffic for as long as its figures are good.
// Invariant: everything that a server can refuse by looking at one object is refused by the schema or its rules.
import { conditions, defineKind, type ObjectOf, quantity, timestamp } from 'pinnace/controllers';
import { z } from 'zod';

const container = z.object({
  image: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: z.array(z.object({ name: z.string().min(1), value: z.string().default('') })).optional(),
  port: z.int32().min(1).max(65_535).default(8080),
  cpu: quantity().optional(),
});

const spec = z.object({
  replicas: z.int32().min(1).max(100).default(4).describe('Pods of both versions together.'),
  container: container.describe('A change of it is a new version.'),
  attempt: z
    .int32()
    .min(1)
    .default(1)
    .describe('Part of the version: another number has one that failed tried again.'),
  paused: z
    .boolean()
    .default(false)
    .describe('Stay at the step of now; figures go on being judged.'),
  steps: z
    .array(
      z.object({
        weight: z
          .int32()
          .min(1)
          .max(99)
          .describe('Percent of the pods that are of the new version.'),
        holdSeconds: z.int32().min(1).max(86_400).default(60),
      }),
    )
    .min(1)
    .max(20)
    .describe('After the last one the new version takes all.'),
  analysis: z.object({
    max: z.number().describe('A figure above this is a bad one.'),
    intervalSeconds: z.int32().min(1).max(3600).default(10),
    failures: z.int32().min(1).max(100).default(2).describe('Bad figures in one step that end it.'),
    readySeconds: z
      .int32()
      .min(1)
      .default(300)
      .describe('The pods of a step that are not ready by then end it, too.'),
  }),
});

const version = z.object({ revision: z.string(), container });

const status = z.object({
  observedGeneration: z.int().optional(),
  phase: z.enum(['Steady', 'Progressing', 'RolledBack']),
  weight: z.int32().describe('Percent that the new version is to have now.'),
  stable: version.describe('The version that is known to be good.'),
  canary: version.optional().describe('The one that is on trial.'),
  failedRevision: z
    .string()
    .optional()
    .describe('The last one that failed. It is not tried again.'),
  trial: z
    .object({
      step: z.int32(),
      since: timestamp().describe('When the step began.'),
      readySince: timestamp().optional(),
      sampledAt: timestamp().optional(),
      good: z.int32(),
      bad: z.int32(),
    })
    .optional(),
  conditions: conditions().optional(),
});

/** Versions on trial. */
export const Canaries = defineKind({
  group: 'rollout.example.com',
  version: 'v1',
  kind: 'Canary',
  plural: 'canaries',
  categories: ['all'],
  description: 'Pods whose new versions take over step by step, or go.',
  spec,
  status,
  rules: {
    '': {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$')",
      message: 'the name is part of host names: 50 letters, digits and hyphens at most',
    },
    'spec.steps': {
      rule: 'self.map(step, step.weight).isSorted()',
      message: 'weights grow from step to step',
    },
    'spec.container.port': { rule: 'self == oldSelf', message: 'the port stays as it is' },
  },
  columns: {
    Phase: '.status.phase',
    Weight: '.status.weight',
    Image: '.spec.container.image',
    Stable: '.status.stable.container.image',
    Age: '.metadata.creationTimestamp',
  },
});

/** A canary as it is stored. */
export type Canary = ObjectOf<typeof Canaries>;
/** Its status. */
export type CanaryStatus = NonNullable<Canary['status']>;
